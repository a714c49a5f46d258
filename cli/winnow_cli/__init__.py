"""What speaks to Winnow's API from outside: the client, and the command `winnow`. Nothing here is part of a deployment."""
