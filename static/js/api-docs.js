// The dispatch API's description; somebody logged in may try it out with their session.

const docs = document.getElementById("api-docs");

SwaggerUIBundle({
  url: docs.dataset.schema,
  domNode: docs,
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor(request) {
    request.headers["X-CSRFToken"] = docs.dataset.csrfToken;
    return request;
  },
});
