"""What of OWASP's ASVS 5.0.0 holds here, item by item, and what does not.

A test names the items that it proves in ``@pytest.mark.asvs("6.2.1", "6.2.9")``;
`tests.standards` writes both lists down.
"""

from __future__ import annotations

CHAPTERS = {
    "2": "Validation and Business Logic",
    "4": "API and Web Service",
    "6": "Authentication",
    "7": "Session Management",
    "8": "Authorization",
    "10": "OAuth and OIDC",
    "11": "Cryptography",
    "13": "Configuration",
    "14": "Data Protection",
    "15": "Secure Coding and Architecture",
    "16": "Security Logging and Error Handling",
}

ITEMS = {
    "2.2.1": "Each field of a body, a form and a query is held against its type and its bounds; a "
    "body with a field more is refused.",
    "2.3.3": "What a request changes about users and tokens is one transaction: if it fails at its "
    "end, nothing is written.",
    "2.4.1": "Logins, what needs none, and each password that is tried are counted; hashing has "
    "slots, lists have pages, users have fifty tokens. What else a user asks is counted where "
    "the project sets `user` in `API_THROTTLES`.",
    "4.1.3": "No header of a proxy is believed before the environment says that there is one. "
    "`X-Request-ID` is a label in the log, of whoever sends it.",
    "4.1.4": "A path of the API knows its methods; any other is 405.",
    "6.1.1": "The README has each limit of logins, its setting, and why no login is ever locked.",
    "6.2.1": "A password has 12 characters at least.",
    "6.2.2": "Users change their own password.",
    "6.2.3": "For a new password the current one is needed.",
    "6.2.5": "A password is made of any characters, spaces too.",
    "6.2.8": "A password is checked as it came: not stripped, folded or cut.",
    "6.2.9": "A password may have 128 characters.",
    "6.3.1": "The limits that the README has are kept, also by many requests at once.",
    "6.3.2": "A new database has no user; `up` makes an administrator with a random password.",
    "6.3.8": "Whoever cannot log in hears the same bytes after the same one hash, whether there is "
    "such a user or not, hashes from before Argon2 apart. There is no registration; a user who "
    "changes their address hears that it is taken.",
    "7.2.1": "Token and session are looked up in the database, by each request.",
    "7.2.2": "Each login makes a token or a session of its own, and it ends.",
    "7.2.3": "A token's secret has 256 bits of the system's generator, a session's key 165.",
    "7.2.4": "A login gives a browser a new session, and the one that it had is gone. A token is "
    "another session beside those that are there, and can be ended.",
    "7.3.2": "A token of a login ends after 8 hours, a browser's session after two weeks, the "
    "staff's after 4 hours, however much they are used.",
    "7.4.1": "What has been ended, or has expired, is refused by the server.",
    "7.4.2": "Whoever is deactivated or deleted has no session and no token any more; to be "
    "activated again brings none of them back.",
    "7.4.3": "A new password ends all other sessions and all tokens.",
    "7.4.5": "Administrators end single tokens, and by an action, a command or a new password "
    "all sessions and tokens of a user.",
    "8.1.1": "The README says for each operation which scope, which permission and which user "
    "it needs.",
    "8.1.2": "The README says for each field of the API who reads and who writes it.",
    "8.2.1": "Each operation is open by name, or asks for a scope and a permission.",
    "8.2.2": "Without authority another's id, one's own and none answer alike; another's token is "
    "not found; superusers are out of reach.",
    "8.2.3": "Each action has its own fields; privileges are for superusers with the scope.",
    "8.3.1": "The server decides, whatever a form or a page offers.",
    "8.3.2": "A permission that is taken away is missing in the next request.",
    "10.4.9": "Users end their tokens by the API, administrators in the admin site, too.",
    "11.4.2": "Passwords are hashed with Argon2; older hashes are renewed at a login.",
    "11.5.1": "What must not be guessed has 128 bits at least, of the system's generator.",
    "13.1.2": "The README says how many connections and hashes a process has at once, and that "
    "whoever finds none free is answered 503.",
    "13.4.2": "Production does not start with DEBUG on.",
    "13.4.5": "In production the documentation is for the staff. The health of the service is "
    "public, and says nothing else.",
    "14.2.1": "Passwords and tokens are read from bodies and header fields, not from addresses.",
    "14.2.2": "No cache keeps an answer about a user, or gives it to another.",
    "15.3.1": "A user is id, name and address, whatever else the row has; a token never has its "
    "secret.",
    "15.3.3": "A field that an action does not name is refused.",
    "15.3.4": "The client is who is connected, or whom the project's own proxies name; throttle "
    "and log use the same.",
    "15.3.5": "A value of another JSON type is refused, never converted.",
    "15.3.7": "What is given twice, or in another place, is refused or not read.",
    "15.4.1": "What threads share is behind a lock, or counted by the database.",
    "15.4.2": "Whether an address is free, a password still the old one, a superuser the last or a "
    "limit reached is decided in the transaction that acts on it. What the caller may do is "
    "read once, when the request begins.",
    "16.2.1": "An event says when, in which request, from where, who, to whom, what, and whether "
    "it came about.",
    "16.2.5": "No log has a password, a token or a digest; a login is logged as its HMAC.",
    "16.3.1": "Each login is logged, whether it succeeds or not, and each session and token that "
    "begins or that its user ends, and each token that is refused.",
    "16.3.2": "Each refusal for want of authority is logged.",
    "16.3.3": "Whatever input, rule or limit refuses a request that reaches Django, it is logged.",
    "16.3.4": "What nobody expected is logged with its traceback.",
    "16.5.1": "What nobody expected is told to the client as an id to look up, also while DEBUG is "
    "on.",
    "16.5.2": "While the database is away the answer is 503, and the server lives.",
    "16.5.3": "What fails half-way has neither written nor let anybody in.",
    "16.5.4": "Whatever is raised is answered and logged, and the server lives.",
}

DEVIATIONS = {
    "4.1.1": "All that Django answers has its type and charset, but the style sheets and scripts "
    "that granian serves have no charset.",
    "4.1.2": "Production redirects plain HTTP to HTTPS for the API, too; let the proxy refuse it.",
    "6.2.4": "Passwords are held against Django's list of 20,000 common ones. Fewer than 200 of "
    "these have 12 characters; it would take 3,000.",
    "6.2.11": "There is no list of words of the context, only the user's own name and address.",
    "6.2.12": "Passwords are not held against breached ones: it takes another service to ask.",
    "6.3.3": "There is no second factor.",
    "7.3.1": "No session and no token ends by being idle; each has its last moment (7.3.2).",
    "7.5.1": "Users change their address without their password; nothing is ever sent to it.",
    "7.5.2": "Users see and end their tokens, but not one by one the sessions of their browsers; "
    "to end tokens asks for no password.",
    "10.4.4": "There is a form for passwords. It is for this site's own clients, off in production "
    "unless it is switched on, and a deployment check warns of it.",
}
