"""What stands in each ADaM set?"""
