# SPDX-License-Identifier: BSD-2-Clause
# Thin: everything is in `cargo xtask` (see `cargo xtask --help`). Each target first installs what is missing.

.PHONY: run run-vm test bench clean

run:
	cargo xtask run $(ARGS)

run-vm:
	cargo xtask run-vm $(ARGS)

test:
	cargo xtask test $(ARGS)

bench:
	cargo xtask bench $(ARGS)

clean:
	cargo clean
