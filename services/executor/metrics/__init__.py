"""What the engine did, as counts that add up: by the second, by five, by the minute. No IO."""
