"""What the server keeps: one contract, and the stores that fulfil it. The only room of the server with SQL."""
