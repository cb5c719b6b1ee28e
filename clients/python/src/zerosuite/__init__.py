"""Clients of zerosuite and of any zerorpc server."""

from ._client import Client, Stream
from .errors import Error, LostRemote, ProtocolError, RemoteError, TimeoutExpired

__all__ = ["Client", "Error", "LostRemote", "ProtocolError", "RemoteError", "Stream", "TimeoutExpired"]
__version__ = "0.2.0"
