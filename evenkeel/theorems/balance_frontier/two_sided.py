"""Two computed numbers that enclose what an online policy can reach."""
