"""The one account there is."""

ACCOUNT_ID = "123456789012"  # moto's account for every caller that has not assumed a role elsewhere
