"""Options of Testamur's own plugins that have settings of their own, such as ``smtp_host``."""

from collections.abc import Mapping
from dataclasses import dataclass

from testamur.entrypoints.plugins import Group
from testamur.entrypoints.settings import Settings


@dataclass(frozen=True, slots=True)
class OwnSetting:
    """An option that has a setting of its own.

    Args:
        value: What it comes to; None: it is left out.
        settings: Names of the settings that it is made of.
    """

    value: object
    settings: tuple[str, ...] = ()


def own_settings(settings: Settings, group: Group, name: str) -> Mapping[str, OwnSetting]:
    """Return the options of a plugin of Testamur's own that have settings of their own."""
    match group, name:
        case Group.RETRIEVAL, "files":
            return {"folder": OwnSetting(settings.source_folder, ("source_folder",))}
        case Group.STORAGE, "local":
            return {"folder": OwnSetting(settings.files_folder, ("storage_folder",))}
        case Group.NOTIFICATION, "outbox":
            folder = OwnSetting(settings.messages_folder, ("outbox_folder",))
            return {"folder": folder, **_mail_options(settings)}
        case Group.NOTIFICATION, "smtp":
            server = {
                name.removeprefix("smtp_"): OwnSetting(getattr(settings, name), (name,))
                for name in Settings.model_fields
                if name.startswith("smtp_")
            }
            return {**server, **_mail_options(settings)}
        case _:
            return {}


def _mail_options(settings: Settings) -> Mapping[str, OwnSetting]:
    return {
        "sender": OwnSetting(settings.sender, ("mail_sender", "mail_sender_name")),
        "templates": OwnSetting(settings.mail_templates, ("mail_templates",)),
        # It is the language of documents too, so that another one here is no contradiction.
        "default_language": OwnSetting(settings.default_language),
    }
