//! Transcripts of whole sessions: what the client gets, byte for byte.
