"""A service's routes as tools of the Model Context Protocol, at ``/{serviceId}/mcp``."""
