// SPDX-License-Identifier: BSD-2-Clause
//! Builds the seL4 kernel of the embedded default from its crates.io package.
