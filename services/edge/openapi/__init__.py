"""A service's routes as an OpenAPI 3.1 document. No IO."""
