"""Circuit breakers: which hosts are called just now, and which are left alone. No IO."""
