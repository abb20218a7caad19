"""Testamur issues learning credentials and can prove years later what it issued, to whom and why.

The names here are the public ones. Each is loaded when it is first used, so that importing the
domain alone loads no adapter (PEP 562).
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from testamur.adapters.event_store.copying import CopyReport as CopyReport
    from testamur.application.auditing import Audit as Audit
    from testamur.application.auditing import AuditPage as AuditPage
    from testamur.application.awardees import Awardee as Awardee
    from testamur.application.awardees import AwardReport as AwardReport
    from testamur.application.correcting import Corrected as Corrected
    from testamur.application.correcting import CorrectionFilter as CorrectionFilter
    from testamur.application.erasing import Erasable as Erasable
    from testamur.application.errors import AlreadyRunning as AlreadyRunning
    from testamur.application.errors import ConcurrencyConflict as ConcurrencyConflict
    from testamur.application.errors import DocumentWithdrawn as DocumentWithdrawn
    from testamur.application.errors import EventStoreError as EventStoreError
    from testamur.application.errors import NotificationError as NotificationError
    from testamur.application.errors import RenderingError as RenderingError
    from testamur.application.errors import RetrievalError as RetrievalError
    from testamur.application.errors import StorageError as StorageError
    from testamur.application.errors import TamperedLog as TamperedLog
    from testamur.application.exporting import LearnerExport as LearnerExport
    from testamur.application.import_entries import ImportEntry as ImportEntry
    from testamur.application.inspecting import PreviewWarning as PreviewWarning
    from testamur.application.moments import CredentialMoment as CredentialMoment
    from testamur.application.ports.audit import AuditEntry as AuditEntry
    from testamur.application.ports.audit import AuditFilter as AuditFilter
    from testamur.application.ports.deliveries import DeliveryFilter as DeliveryFilter
    from testamur.application.ports.deliveries import DeliveryRow as DeliveryRow
    from testamur.application.ports.event_store import RecordedEvent as RecordedEvent
    from testamur.application.ports.register import CredentialFilter as CredentialFilter
    from testamur.application.ports.register import CredentialRow as CredentialRow
    from testamur.application.ports.register import CredentialTally as CredentialTally
    from testamur.application.ports.register import RunRow as RunRow
    from testamur.application.ports.secret_keys import KeyCounts as KeyCounts
    from testamur.application.ports.transparency import LogKey as LogKey
    from testamur.application.ports.transparency import TreeHead as TreeHead
    from testamur.application.previewing import Preview as Preview
    from testamur.application.progress import Progress as Progress
    from testamur.application.progress import Step as Step
    from testamur.application.prospects import Prospect as Prospect
    from testamur.application.reasons import Reasons as Reasons
    from testamur.application.reissuing import Reissue as Reissue
    from testamur.application.reissuing_many import Reissuable as Reissuable
    from testamur.application.reissuing_many import Reissues as Reissues
    from testamur.application.retention import InactiveLearner as InactiveLearner
    from testamur.application.revoking import Revocable as Revocable
    from testamur.application.revoking import Revocation as Revocation
    from testamur.application.standing import ConfigurationStanding as ConfigurationStanding
    from testamur.application.standing import HeldCredential as HeldCredential
    from testamur.application.standing import LearnerStanding as LearnerStanding
    from testamur.application.standing import StepStanding as StepStanding
    from testamur.application.tick_reports import TickReport as TickReport
    from testamur.application.transparency.findings import Finding as Finding
    from testamur.application.transparency.findings import LogReport as LogReport
    from testamur.application.transparency.notes import ConsistencyProof as ConsistencyProof
    from testamur.application.transparency.notes import CredentialProof as CredentialProof
    from testamur.application.transparency.notes import SignedHead as SignedHead
    from testamur.application.verifying import Verification as Verification
    from testamur.application.withdrawing import Withdrawal as Withdrawal
    from testamur.domain.assets import CredentialAsset as CredentialAsset
    from testamur.domain.configurations import CredentialConfiguration as CredentialConfiguration
    from testamur.domain.corrections import Correction as Correction
    from testamur.domain.credential_types import CredentialType as CredentialType
    from testamur.domain.credential_types import Issuer as Issuer
    from testamur.domain.credential_types import TypeDefinition as TypeDefinition
    from testamur.domain.credentials import Credential as Credential
    from testamur.domain.credentials import CredentialStatus as CredentialStatus
    from testamur.domain.erasures import ErasureCompleted as ErasureCompleted
    from testamur.domain.errors import DecisionRefused as DecisionRefused
    from testamur.domain.errors import InvalidInput as InvalidInput
    from testamur.domain.errors import InvalidOptions as InvalidOptions
    from testamur.domain.errors import NotFound as NotFound
    from testamur.domain.errors import TestamurError as TestamurError
    from testamur.domain.identifiers import ConfigurationId as ConfigurationId
    from testamur.domain.identifiers import CorrectionId as CorrectionId
    from testamur.domain.identifiers import CredentialId as CredentialId
    from testamur.domain.identifiers import ReconciliationId as ReconciliationId
    from testamur.domain.identifiers import RunId as RunId
    from testamur.domain.reconciliations import ReconciliationCounts as ReconciliationCounts
    from testamur.domain.run_results import RunCounts as RunCounts
    from testamur.domain.schedules import CronRule as CronRule
    from testamur.domain.schedules import IntervalRule as IntervalRule
    from testamur.domain.schedules import IssueWindow as IssueWindow
    from testamur.domain.schedules import OnceRule as OnceRule
    from testamur.domain.schedules import Schedule as Schedule
    from testamur.entrypoints.database_copies import back_up_database as back_up_database
    from testamur.entrypoints.database_copies import copy_database as copy_database
    from testamur.entrypoints.databases import DatabaseStatus as DatabaseStatus
    from testamur.entrypoints.databases import database_status as database_status
    from testamur.entrypoints.databases import migrate_database as migrate_database
    from testamur.entrypoints.document_links import DocumentLinks as DocumentLinks
    from testamur.entrypoints.download_archive import DownloadArchive as DownloadArchive
    from testamur.entrypoints.download_archive import DownloadReport as DownloadReport
    from testamur.entrypoints.library import RunOutcome as RunOutcome
    from testamur.entrypoints.library import Testamur as Testamur
    from testamur.entrypoints.library.intake import AwardListOutcome as AwardListOutcome
    from testamur.entrypoints.library.intake import AwardOutcome as AwardOutcome
    from testamur.entrypoints.library.reconciling import (
        ReconciliationOutcome as ReconciliationOutcome,
    )
    from testamur.entrypoints.plugins import BrokenPlugin as BrokenPlugin
    from testamur.entrypoints.setting_values import PostgresUrl as PostgresUrl
    from testamur.entrypoints.settings import Settings as Settings

    __version__: str

#: Public name -> the module that defines it. Type checkers read the imports under TYPE_CHECKING,
#: so a name stands in both places, and in `__all__`.
_PUBLIC: dict[str, str] = {
    "AlreadyRunning": "testamur.application.errors",
    "Audit": "testamur.application.auditing",
    "AuditEntry": "testamur.application.ports.audit",
    "AuditFilter": "testamur.application.ports.audit",
    "AuditPage": "testamur.application.auditing",
    "AwardListOutcome": "testamur.entrypoints.library.intake",
    "AwardOutcome": "testamur.entrypoints.library.intake",
    "AwardReport": "testamur.application.awardees",
    "Awardee": "testamur.application.awardees",
    "BrokenPlugin": "testamur.entrypoints.plugins",
    "ConcurrencyConflict": "testamur.application.errors",
    "ConfigurationId": "testamur.domain.identifiers",
    "ConfigurationStanding": "testamur.application.standing",
    "ConsistencyProof": "testamur.application.transparency.notes",
    "CopyReport": "testamur.adapters.event_store.copying",
    "Corrected": "testamur.application.correcting",
    "Correction": "testamur.domain.corrections",
    "CorrectionFilter": "testamur.application.correcting",
    "CorrectionId": "testamur.domain.identifiers",
    "Credential": "testamur.domain.credentials",
    "CredentialAsset": "testamur.domain.assets",
    "CredentialConfiguration": "testamur.domain.configurations",
    "CredentialFilter": "testamur.application.ports.register",
    "CredentialId": "testamur.domain.identifiers",
    "CredentialMoment": "testamur.application.moments",
    "CredentialProof": "testamur.application.transparency.notes",
    "CredentialRow": "testamur.application.ports.register",
    "CredentialStatus": "testamur.domain.credentials",
    "CredentialTally": "testamur.application.ports.register",
    "CredentialType": "testamur.domain.credential_types",
    "CronRule": "testamur.domain.schedules",
    "DatabaseStatus": "testamur.entrypoints.databases",
    "DecisionRefused": "testamur.domain.errors",
    "DeliveryFilter": "testamur.application.ports.deliveries",
    "DeliveryRow": "testamur.application.ports.deliveries",
    "DocumentLinks": "testamur.entrypoints.document_links",
    "DocumentWithdrawn": "testamur.application.errors",
    "DownloadArchive": "testamur.entrypoints.download_archive",
    "DownloadReport": "testamur.entrypoints.download_archive",
    "Erasable": "testamur.application.erasing",
    "ErasureCompleted": "testamur.domain.erasures",
    "EventStoreError": "testamur.application.errors",
    "Finding": "testamur.application.transparency.findings",
    "HeldCredential": "testamur.application.standing",
    "ImportEntry": "testamur.application.import_entries",
    "InactiveLearner": "testamur.application.retention",
    "IntervalRule": "testamur.domain.schedules",
    "InvalidInput": "testamur.domain.errors",
    "InvalidOptions": "testamur.domain.errors",
    "IssueWindow": "testamur.domain.schedules",
    "Issuer": "testamur.domain.credential_types",
    "KeyCounts": "testamur.application.ports.secret_keys",
    "LearnerExport": "testamur.application.exporting",
    "LearnerStanding": "testamur.application.standing",
    "LogKey": "testamur.application.ports.transparency",
    "LogReport": "testamur.application.transparency.findings",
    "NotFound": "testamur.domain.errors",
    "NotificationError": "testamur.application.errors",
    "OnceRule": "testamur.domain.schedules",
    "PostgresUrl": "testamur.entrypoints.setting_values",
    "Preview": "testamur.application.previewing",
    "PreviewWarning": "testamur.application.inspecting",
    "Progress": "testamur.application.progress",
    "Prospect": "testamur.application.prospects",
    "Reasons": "testamur.application.reasons",
    "ReconciliationCounts": "testamur.domain.reconciliations",
    "ReconciliationId": "testamur.domain.identifiers",
    "ReconciliationOutcome": "testamur.entrypoints.library.reconciling",
    "RecordedEvent": "testamur.application.ports.event_store",
    "Reissuable": "testamur.application.reissuing_many",
    "Reissue": "testamur.application.reissuing",
    "Reissues": "testamur.application.reissuing_many",
    "RenderingError": "testamur.application.errors",
    "RetrievalError": "testamur.application.errors",
    "Revocable": "testamur.application.revoking",
    "Revocation": "testamur.application.revoking",
    "RunCounts": "testamur.domain.run_results",
    "RunId": "testamur.domain.identifiers",
    "RunOutcome": "testamur.entrypoints.library",
    "RunRow": "testamur.application.ports.register",
    "Schedule": "testamur.domain.schedules",
    "Settings": "testamur.entrypoints.settings",
    "SignedHead": "testamur.application.transparency.notes",
    "Step": "testamur.application.progress",
    "StepStanding": "testamur.application.standing",
    "StorageError": "testamur.application.errors",
    "TamperedLog": "testamur.application.errors",
    "Testamur": "testamur.entrypoints.library",
    "TestamurError": "testamur.domain.errors",
    "TickReport": "testamur.application.tick_reports",
    "TreeHead": "testamur.application.ports.transparency",
    "TypeDefinition": "testamur.domain.credential_types",
    "Verification": "testamur.application.verifying",
    "Withdrawal": "testamur.application.withdrawing",
    "back_up_database": "testamur.entrypoints.database_copies",
    "copy_database": "testamur.entrypoints.database_copies",
    "database_status": "testamur.entrypoints.databases",
    "migrate_database": "testamur.entrypoints.databases",
}

__all__ = [
    "AlreadyRunning",
    "Audit",
    "AuditEntry",
    "AuditFilter",
    "AuditPage",
    "AwardListOutcome",
    "AwardOutcome",
    "AwardReport",
    "Awardee",
    "BrokenPlugin",
    "ConcurrencyConflict",
    "ConfigurationId",
    "ConfigurationStanding",
    "ConsistencyProof",
    "CopyReport",
    "Corrected",
    "Correction",
    "CorrectionFilter",
    "CorrectionId",
    "Credential",
    "CredentialAsset",
    "CredentialConfiguration",
    "CredentialFilter",
    "CredentialId",
    "CredentialMoment",
    "CredentialProof",
    "CredentialRow",
    "CredentialStatus",
    "CredentialTally",
    "CredentialType",
    "CronRule",
    "DatabaseStatus",
    "DecisionRefused",
    "DeliveryFilter",
    "DeliveryRow",
    "DocumentLinks",
    "DocumentWithdrawn",
    "DownloadArchive",
    "DownloadReport",
    "Erasable",
    "ErasureCompleted",
    "EventStoreError",
    "Finding",
    "HeldCredential",
    "ImportEntry",
    "InactiveLearner",
    "IntervalRule",
    "InvalidInput",
    "InvalidOptions",
    "IssueWindow",
    "Issuer",
    "KeyCounts",
    "LearnerExport",
    "LearnerStanding",
    "LogKey",
    "LogReport",
    "NotFound",
    "NotificationError",
    "OnceRule",
    "PostgresUrl",
    "Preview",
    "PreviewWarning",
    "Progress",
    "Prospect",
    "Reasons",
    "ReconciliationCounts",
    "ReconciliationId",
    "ReconciliationOutcome",
    "RecordedEvent",
    "Reissuable",
    "Reissue",
    "Reissues",
    "RenderingError",
    "RetrievalError",
    "Revocable",
    "Revocation",
    "RunCounts",
    "RunId",
    "RunOutcome",
    "RunRow",
    "Schedule",
    "Settings",
    "SignedHead",
    "Step",
    "StepStanding",
    "StorageError",
    "TamperedLog",
    "Testamur",
    "TestamurError",
    "TickReport",
    "TreeHead",
    "TypeDefinition",
    "Verification",
    "Withdrawal",
    "__version__",
    "back_up_database",
    "copy_database",
    "database_status",
    "migrate_database",
]

if not TYPE_CHECKING:  # hidden from type checkers, which would otherwise accept any name

    def __getattr__(name: str) -> object:
        if name == "__version__":
            value = version("testamur")
        elif name in _PUBLIC:
            value = getattr(import_module(_PUBLIC[name]), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
