"""What an execution is and what it does next: values and functions of values, no IO."""
