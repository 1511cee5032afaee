"""The page where people read a service's document and try its routes."""
