"""What stands in the ADaM set of measured lesions?"""
