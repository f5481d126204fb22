"""What is owed: settlements in, benefits assessed, grants out."""
