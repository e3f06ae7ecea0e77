"""What an attacker may try, by id: each is one case at least, with its variations.

Those against users are the cases of `tests.users.hostile`, those against what carries a
request are in ``tests/project``: the case of a parametrized test, or a test that is marked
with ``@pytest.mark.hostile("H90")``.
"""

from __future__ import annotations

import re

from tests import marks
from tests.users.hostile import CASES

ATTACKS = {
    "H01": "No credentials.",
    "H02": "An Authorization header that is empty, or of another scheme.",
    "H03": "Bearer without a token, or with what is none.",
    "H05": "Two Authorization headers.",
    "H07": "The word Bearer in any case, which is none.",
    "H10": "A bad body from nobody: who asks comes first.",
    "H11": "The key of a token with another secret.",
    "H12": "A token that was never issued.",
    "H13": "A token cut, changed, lengthened, of another kind.",
    "H14": "An expired token.",
    "H15": "A revoked token.",
    "H16": "A token from before the password was changed, in whatever way.",
    "H17": "A token or a session of a user who was deactivated, and activated again.",
    "H18": "A token of a deleted user.",
    "H19": "A login that renews the hash, beside another token: no attack.",
    "H21": "A token without the scope.",
    "H22": "A token whose user has lost the permission.",
    "H24": "A token in the query, the body, a cookie or another header.",
    "H25": "A bad token beside a good session.",
    "H27": "A session used by another site's page.",
    "H29": "Methods that a path does not know.",
    "H31": "A login of nobody, of somebody with another password, of the inactive.",
    "H32": "NUL and bytes that are no text in the fields of a form.",
    "H34": "A login that is no form, or lacks a field.",
    "H35": "A login with a field twice.",
    "H36": "A login with too many fields, or too large ones.",
    "H37": "Another grant type.",
    "H38": "More scope than the user may have, unknown scope, no scope.",
    "H39": "One login too many, by the right password too.",
    "H41": "Forwarded addresses that are made up.",
    "H43": "One login too many of somebody who is not there.",
    "H45": "Ids that no column holds.",
    "H46": "Ids that are no numbers.",
    "H49": "Somebody else's id, there or not.",
    "H50": "Slashes at the end, doubled, dots.",
    "H51": "Pages of no size, of too large a size, given twice.",
    "H52": "Pages of enormous size, far behind the end.",
    "H57": "Parameters that would filter or sort, if they were handed on.",
    "H58": "NUL and bytes that are no text in path and query.",
    "H60": "Parameters that nobody knows.",
    "H61": "What is no flag where a flag belongs.",
    "H62": "A body that is empty, or no object.",
    "H63": "A body that is not JSON.",
    "H64": "JSON in another encoding.",
    "H65": "JSON with one key twice.",
    "H66": "JSON with numbers that are none.",
    "H67": "JSON nested without end.",
    "H69": "NUL and halves of surrogate pairs in JSON.",
    "H71": "Names in every script, and emoji: no attack.",
    "H72": "Texts longer than their columns.",
    "H74": "E-mail addresses that look like others.",
    "H75": "Names that cannot be seen.",
    "H76": "What is no e-mail address.",
    "H78": "Numbers, lists and operators where a text belongs.",
    "H79": "Fields that are not the caller's to set.",
    "H80": "A manager who reaches for privileges, and for superusers.",
    "H82": "Passwords that are weak, too long, enormous.",
    "H84": "An e-mail address that is taken.",
    "H85": "The same user twenty-four times at once.",
    "H87": "Deleting twice, oneself, the last superuser.",
    "H88": "A body of another type, or packed.",
    "H89": "A body in another charset.",
    "H90": "A body over the limit, declared or not.",
    "H93": "Heads that are too large, or broken.",
    "H94": "Hosts that are not the site's.",
    "H97": "Making the site say what it runs on.",
    "H98": "What is others', and what caches would keep of it.",
    "H100": "Reading the documentation in production.",
}

_ID = re.compile(r"H\d+")


def tried() -> set[str]:
    """Return the ids that have a case."""
    cases = {arguments[0] for found in marks.collect("case").values() for arguments in found}
    users = {found[0] for case in CASES if (found := _ID.match(case.id))}
    return cases | users | marks.by_argument("pytest.mark.hostile").keys()
