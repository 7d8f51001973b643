"""How many patients does a response rate need? Designs whose errors are exact."""
