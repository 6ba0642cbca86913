"""Contacts: people at a customer, known by their e-mail within it."""

from datong.canon import Contact
from datong.engine.flow import CRM, Master, Policies, owned_by, shared
from datong.matching import Identity, same

contact = Master(
    name="contact",
    en="Contacts",
    zh="联系人",
    record=Contact,
    identity=Identity(
        link=(same("email", within="account"),),
        review=(same("email"), same("mobile", "phone", any_of=True)),
    ),
    fields=Policies(
        owned_by(CRM, "account", "name", "family_name", "given_name", "title", "language", "custom"),
        shared("email", "phone", "mobile", "active"),
    ),
    first_load=CRM,
    needs=("account",),
)
