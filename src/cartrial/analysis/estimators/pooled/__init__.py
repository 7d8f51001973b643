"""What is the rate over several trials, and in the next one?"""
