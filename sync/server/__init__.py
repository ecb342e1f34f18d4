"""The central server: takes ops in, merges them, hands out what each device may see."""
