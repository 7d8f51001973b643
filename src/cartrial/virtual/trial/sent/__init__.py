"""What else do sites send beside what endpoints are made of: who subjects are, a second laboratory's results, care, and how it is filed?"""
