"""What the console's screens are made of: widgets that are given values and show them."""
