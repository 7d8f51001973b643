"""What is the estimate of subjects who are weighted until they are like others?"""
