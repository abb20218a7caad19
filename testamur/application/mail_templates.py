"""Mail templates of a configuration: an asset with templates that go before the installation's."""

from dataclasses import dataclass

from testamur.application.options import NotificationOptions
from testamur.application.ports.notification import Notifier, TemplateSet, WordingNotifier
from testamur.application.ports.rendering import AssetLibrary
from testamur.domain.errors import InvalidInput, InvalidOptions
from testamur.domain.identifiers import Slug


@dataclass(frozen=True, slots=True)
class MailTemplateSets:
    """Gives notifiers the templates that options name."""

    assets: AssetLibrary
    notifier: Notifier

    def of(self, options: NotificationOptions) -> TemplateSet | None:
        """Return the templates that the options name, if they name some.

        Raises:
            NotFound: There is no such asset, or it was removed.
            StorageError: Its content cannot be read.
        """
        if options.templates is None:
            return None
        slug = Slug(options.templates)
        return TemplateSet(slug, self.assets.sha256(slug), self.assets.content(slug))

    def check(self, options: NotificationOptions) -> None:
        """Try the templates that the options name, before anybody is told anything.

        Raises:
            NotFound: There is no such asset, or it was removed.
            InvalidOptions: They cannot be used, or the way of telling learners takes none.
            StorageError: Its content cannot be read.
        """
        templates = self.of(options)
        if templates is None:
            return
        try:
            if not isinstance(self.notifier, WordingNotifier):
                allowed = "none: the notifier in use has templates of its own"
                raise InvalidInput("notification.templates", templates.name, allowed)
            self.notifier.try_out(templates)
        except InvalidInput as problem:
            raise InvalidOptions("options", [problem]) from problem
