"""Who the clinic is, as every page, mail and calendar entry says it."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClinicProfile:
    """The clinic's public facts; `phone` is written for Canadian readers, as in 905-555-0100.

    `opening_hours` says `hours` once more as schema.org writes it (`Mo-Fr 09:00-18:00`), or nothing.
    """

    name: str
    phone: str
    email: str
    address: str
    hours: str
    opening_hours: str
    privacy_contact: str

    @property
    def phone_uri(self) -> str:
        """The phone number as a `tel:` address in the international form of RFC 3966."""
        digits = re.sub(r"\D", "", self.phone)
        return f"tel:+{digits if digits.startswith('1') else '1' + digits}"

    @property
    def mail_domain(self) -> str:
        """The domain that the clinic's mail carries in Message-ID and calendar UID."""
        return self.email.rpartition("@")[2]
