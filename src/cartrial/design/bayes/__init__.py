"""When is a trial stopped by a posterior or predictive probability, while responses are awaited, or for toxicity?"""
