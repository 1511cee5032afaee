"""The console's places: each glues what is known at this moment to widgets that show it."""
