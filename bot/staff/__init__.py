"""Who works here: roles, accounts, sign-in and sessions of staff."""
