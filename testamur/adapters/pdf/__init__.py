"""PDF certificates: text, images and QR codes drawn over a template's page."""

from testamur.adapters.pdf.options import PdfOptions
from testamur.adapters.pdf.renderer import PdfRenderer, PreparedPdf

__all__ = ["PdfOptions", "PdfRenderer", "PreparedPdf"]
