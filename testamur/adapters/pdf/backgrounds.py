"""Backgrounds: what documents are drawn on: a template's page with the images put on it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from testamur.adapters.pdf.artwork import Artwork
from testamur.adapters.pdf.conformance import Conformance
from testamur.adapters.pdf.images import PlacedImage, draw_images, place_image
from testamur.adapters.pdf.layout import PageSize
from testamur.adapters.pdf.options import ImageElement
from testamur.adapters.pdf.template import Template
from testamur.adapters.pdf.versions import template_versions
from testamur.domain.identifiers import Slug


@dataclass(frozen=True, slots=True)
class Background:
    """A background ready to be built on.

    Args:
        size: Size of its page as a reader sees it.
        artwork: The template's pages, checked, cleaned and compiled.
    """

    size: PageSize
    artwork: Artwork


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image of a background: its options and its file."""

    options: ImageElement
    content: bytes


@dataclass(frozen=True, slots=True)
class BackgroundParts:
    """What a background is made of.

    Args:
        slug: The template's asset, for errors.
        template: The template's file.
        page: The page that is drawn on, counted from 1.
        images: Images put on it, by the names of their elements, in the order of drawing.
        conformance: What documents keep to.
    """

    slug: Slug
    template: bytes
    page: int
    images: Mapping[str, ImagePart]
    conformance: Conformance

    def key(self) -> str:
        """Return the SHA-256 over all that decides the background, in hexadecimal."""
        decisive = {
            "versions": template_versions(),
            "template": hashlib.sha256(self.template).hexdigest(),
            "page": self.page,
            "images": [
                {
                    **each.options.model_dump(mode="json", exclude={"image"}),
                    "content": hashlib.sha256(each.content).hexdigest(),
                }
                for each in self.images.values()
            ],
            "conformance": self.conformance,
        }
        text = json.dumps(decisive, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def placed_images(self, size: PageSize) -> dict[str, PlacedImage]:
        """Return the images in their places.

        Args:
            size: Size of the page.

        Raises:
            InvalidInput, RenderingError: As `images.place_image`.
        """
        return {
            name: place_image(name, each.options, each.content, size)
            for name, each in self.images.items()
        }

    def opened(self) -> Template:
        """Open and check the template, and put the images on it.

        Raises:
            InvalidInput, RenderingError: As `template.Template` and `images.place_image`.
        """
        template = Template(self.slug, self.template, self.page)
        if self.images:
            placed = self.placed_images(template.size)
            template.put_images(draw_images(list(placed.values()), template.size))
        return template

    def made(self) -> Background:
        """Make the background from the beginning.

        Raises:
            InvalidInput: The template has no such page, or an image lies off the page.
            RenderingError: The template or an image cannot be used.
        """
        template = self.opened()
        artwork = template.artwork(conformant=self.conformance == "pdf/a")
        return Background(template.size, artwork)
