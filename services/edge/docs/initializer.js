// Shows the document that the page names, and nothing else: no address in the query is followed.
"use strict";
const place = document.getElementById("swagger-ui");
SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  displayRequestDuration: true,
  queryConfigEnabled: false,
  // Nobody else is asked whether the document is valid.
  validatorUrl: null,
  // What is entered to authorize is gone with the page.
  persistAuthorization: false,
});
