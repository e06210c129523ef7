"""Kinto with its storage in memory, as kinto.ini begins."""

from kinto import main

app = main(
    {},
    **{
        "kinto.storage_backend": "kinto.core.storage.memory",
        "kinto.cache_backend": "kinto.core.cache.memory",
        "kinto.permission_backend": "kinto.core.permission.memory",
        "kinto.includes": "kinto.plugins.default_bucket kinto.plugins.accounts",
        "multiauth.policies": "account",
        "multiauth.policy.account.use": "kinto.plugins.accounts.authentication.AccountsAuthenticationPolicy",
        "kinto.version_prefix_redirect_enabled": "false",  # it puts the version in front of the prefix
        "kinto.userid_hmac_secret": "a key of this store alone",
        "kinto.account_create_principals": "system.Everyone",
    },
)
