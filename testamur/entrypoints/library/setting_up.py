"""Setting up: assets, credential types and configurations."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import JsonValue

from testamur.application.assets import Assets
from testamur.application.configurations import Configurations
from testamur.application.credential_types import CredentialTypes
from testamur.application.outlook import NextRun, Outlook
from testamur.domain.assets import CredentialAsset
from testamur.domain.configurations import CredentialConfiguration
from testamur.domain.contexts import ContextKinds
from testamur.domain.credential_types import CredentialType, TypeDefinition
from testamur.domain.identifiers import ConfigurationId
from testamur.domain.schedules import Schedule
from testamur.entrypoints.library.acting import Acting, asset_content


class SettingUp(Acting):
    """Defines what is issued, where, and when."""

    # Assets

    def add_asset(
        self, slug: str, file: Path | bytes, filename: str | None = None
    ) -> CredentialAsset:
        """Add a template, font or image. See `Assets.add`."""
        content, name = asset_content(file, filename or slug)
        return self._wiring.resolve(Assets).add(slug, content, name, self._request())

    def replace_asset(
        self, slug: str, file: Path | bytes, filename: str | None = None
    ) -> CredentialAsset:
        """Give an asset other content. See `Assets.replace`."""
        content, name = asset_content(file, filename or slug)
        return self._wiring.resolve(Assets).replace(slug, content, name, self._request())

    def remove_asset(self, slug: str, reason: str) -> None:
        """Remove an asset from use. See `Assets.remove`."""
        self._wiring.resolve(Assets).remove(slug, reason, self._request())

    def asset(self, slug: str) -> CredentialAsset:
        """Return an asset. See `Assets.get`."""
        return self._wiring.resolve(Assets).get(slug)

    def assets(self) -> Iterator[CredentialAsset]:
        """Yield all assets, by slug."""
        return self._wiring.resolve(Assets).all()

    # Credential types

    def define_type(self, slug: str, definition: TypeDefinition) -> CredentialType:
        """Define a credential type. See `CredentialTypes.define`."""
        return self._wiring.resolve(CredentialTypes).define(slug, definition, self._request())

    def revise_type(self, slug: str, definition: TypeDefinition) -> CredentialType:
        """Change what a type says. See `CredentialTypes.revise`."""
        return self._wiring.resolve(CredentialTypes).revise(slug, definition, self._request())

    def retire_type(self, slug: str, reason: str) -> None:
        """Retire a type. See `CredentialTypes.retire`."""
        self._wiring.resolve(CredentialTypes).retire(slug, reason, self._request())

    def type(self, slug: str) -> CredentialType:
        """Return a credential type. See `CredentialTypes.get`."""
        return self._wiring.resolve(CredentialTypes).get(slug)

    def types(self) -> Iterator[CredentialType]:
        """Yield all credential types, by slug."""
        return self._wiring.resolve(CredentialTypes).all()

    # Configurations

    def create_configuration(
        self,
        type_slug: str,
        context_key: str,
        *,
        options: Mapping[str, JsonValue] | None = None,
        schedule: Schedule | None = None,
    ) -> ConfigurationId:
        """Put a type to use in a learning context; disabled. See `Configurations.create`."""
        return self._wiring.resolve(Configurations).create(
            type_slug, context_key, self._request(), options=options, schedule=schedule
        )

    def change_options(
        self, configuration: ConfigurationId, options: Mapping[str, JsonValue]
    ) -> None:
        """Change a configuration's own options. See `Configurations.change_options`."""
        self._wiring.resolve(Configurations).change_options(configuration, options, self._request())

    def change_schedule(self, configuration: ConfigurationId, schedule: Schedule) -> None:
        """Change when a configuration runs. See `Configurations.change_schedule`."""
        self._wiring.resolve(Configurations).change_schedule(
            configuration, schedule, self._request()
        )

    def enable(self, configuration: ConfigurationId) -> None:
        """Let the schedule start runs. See `Configurations.enable`."""
        self._wiring.resolve(Configurations).enable(configuration, self._request())

    def disable(self, configuration: ConfigurationId, reason: str) -> None:
        """Stop the schedule from starting runs. See `Configurations.disable`."""
        self._wiring.resolve(Configurations).disable(configuration, reason, self._request())

    def retire_configuration(self, configuration: ConfigurationId, reason: str) -> None:
        """End a configuration for good. See `Configurations.retire`."""
        self._wiring.resolve(Configurations).retire(configuration, reason, self._request())

    def configuration(self, configuration: ConfigurationId) -> CredentialConfiguration:
        """Return a configuration. See `Configurations.get`."""
        return self._wiring.resolve(Configurations).get(configuration)

    def find_configuration(self, type_slug: str, context_key: str) -> ConfigurationId:
        """Return the id of a type's configuration for a context. See `Configurations.find`."""
        return self._wiring.resolve(Configurations).find(type_slug, context_key)

    def configurations(self) -> Iterator[tuple[ConfigurationId, CredentialConfiguration]]:
        """Yield all configurations with their ids, by type and context."""
        return self._wiring.resolve(Configurations).all()

    def configurations_of(
        self, context_key: str
    ) -> Iterator[tuple[ConfigurationId, CredentialConfiguration]]:
        """Yield those of one context, retired ones too. See `Configurations.of_context`."""
        return self._wiring.resolve(Configurations).of_context(context_key)

    def context_kinds(self) -> ContextKinds:
        """Return the kinds of learning contexts that the data source adds to Testamur's own."""
        return self._wiring.resolve(ContextKinds)

    def next_run(self, configuration: ConfigurationId) -> NextRun:
        """Tell when a configuration will run next, or why it will not. See `Outlook.next_run`."""
        return self._wiring.resolve(Outlook).next_run(configuration)
