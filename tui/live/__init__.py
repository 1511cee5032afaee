"""What the console knows at this moment, without a screen: records, views of them, links."""
