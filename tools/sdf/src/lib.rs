// SPDX-License-Identifier: BSD-2-Clause
//! The Microkit system description: model, checks with line and column.
