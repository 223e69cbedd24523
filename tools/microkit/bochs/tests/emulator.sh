#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Stands in for an emulator in tests: does what the file `script` in the run's folder says.
. ./script
