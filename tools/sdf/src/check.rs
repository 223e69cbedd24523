// SPDX-License-Identifier: BSD-2-Clause
//! Rules between elements.

use crate::error::Error;
use crate::model::System;

/// Checks every rule between elements of `system`, and settles what depends on several of them.
pub(crate) fn rules(_system: &mut System, _errors: &mut Vec<Error>) {}
