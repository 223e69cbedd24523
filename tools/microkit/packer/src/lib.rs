// SPDX-License-Identifier: BSD-2-Clause
//! Packs a system description and its ELF files into a bootable image.
