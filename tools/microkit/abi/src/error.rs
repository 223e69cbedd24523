// SPDX-License-Identifier: BSD-2-Clause
//! The errors with which the kernel answers an invocation.

use core::fmt;

/// `seL4_Error`, without its success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// `seL4_InvalidArgument`.
    InvalidArgument,
    /// `seL4_InvalidCapability`.
    InvalidCapability,
    /// `seL4_IllegalOperation`.
    IllegalOperation,
    /// `seL4_RangeError`.
    RangeError,
    /// `seL4_AlignmentError`.
    AlignmentError,
    /// `seL4_FailedLookup`.
    FailedLookup,
    /// `seL4_TruncatedMessage`.
    TruncatedMessage,
    /// `seL4_DeleteFirst`.
    DeleteFirst,
    /// `seL4_RevokeFirst`.
    RevokeFirst,
    /// `seL4_NotEnoughMemory`.
    NotEnoughMemory,
    /// A number that seL4 5.0.0 does not define.
    Unknown(u64),
}

impl Error {
    /// The result that a label in a reply from the kernel stands for.
    ///
    /// # Errors
    /// The kernel's error when the label is not `seL4_NoError`.
    pub const fn check(label: u64) -> Result<(), Self> {
        Err(match label {
            0 => return Ok(()),
            1 => Self::InvalidArgument,
            2 => Self::InvalidCapability,
            3 => Self::IllegalOperation,
            4 => Self::RangeError,
            5 => Self::AlignmentError,
            6 => Self::FailedLookup,
            7 => Self::TruncatedMessage,
            8 => Self::DeleteFirst,
            9 => Self::RevokeFirst,
            10 => Self::NotEnoughMemory,
            other => Self::Unknown(other),
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(number) => write!(f, "seL4 error {number}"),
            known => write!(f, "seL4_{known:?}"),
        }
    }
}
