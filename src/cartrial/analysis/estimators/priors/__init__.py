"""What does history say of a rate before a trial, and how many patients is that worth?"""
