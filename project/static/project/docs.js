"use strict";

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const { csrfToken } = document.body.dataset;

// Swagger UI has the style sheet for a dark page, and leaves the choice to the page.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

// No script may set a Cookie header, so a box for one in the dialog could not work. The
// browser sends the cookie of a session by itself.
const withoutCookies = (document) => {
  const schemes = document.components?.securitySchemes ?? {};
  const cookies = Object.keys(schemes).filter((name) => schemes[name].in === "cookie");
  const needsCookie = (requirement) => cookies.some((name) => name in requirement);
  for (const name of cookies) delete schemes[name];
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path)) {
      if (!operation.security) continue;
      operation.security = operation.security.filter((one) => !needsCookie(one));
      if (operation.security.length === 0) delete operation.security;
    }
  }
  return document;
};

const WithoutCookies = {
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (document) =>
          update(document.paths ? withoutCookies(structuredClone(document)) : document),
      },
    },
  },
};

const ui = SwaggerUIBundle({
  ...read("swagger"),
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [WithoutCookies],
  requestInterceptor: (request) => {
    request.headers["X-CSRFToken"] = csrfToken;
    return request;
  },
});

ui.initOAuth({ scopes: read("scopes") });
