"""What is said between shoppers and customer service."""
