# SPDX-License-Identifier: BSD-2-Clause
#
# For the Makefile of an image with ioasid in it: docs/integration.md leads through it, examples/copier is one.
#
# Needs, before it is included:
#   IOASID           this repository's folder
#   BUILD_DIR        where everything goes: one for each SDK and configuration
#   MICROKIT_SDK     a Microkit SDK, or what `cargo xtask export` lays out in its place
#   MICROKIT_CONFIG  debug, release, benchmark
#   SYSTEM           the system description
#   IOASID_TOML      who gets what
#
# Gives:
#   IOASID_FILES     what the system description names of ioasid, for the image to depend on
#   IOASID_CFLAGS    for clients in C: <ioasid/client.h>, <log_ring.h>
#   IOASID_COMPILE   for clients in Rust: the words --manifest-path <absolute path of Cargo.toml> <program> behind it make
#                    BUILD_DIR/<program>.elf
#   IOASID_QEMU      QEMU with the VT-d unit and a processor that suits; image and devices are yours to add

ifeq ($(strip $(and $(IOASID),$(BUILD_DIR),$(MICROKIT_SDK),$(MICROKIT_CONFIG),$(SYSTEM),$(IOASID_TOML))),)
$(error ioasid.mk needs IOASID, BUILD_DIR, MICROKIT_SDK, MICROKIT_CONFIG, SYSTEM and IOASID_TOML)
endif

IOASID_FILES := $(addprefix $(BUILD_DIR)/,ioasid.elf console.elf ioasid.bin console.bin)
IOASID_CFLAGS := -I$(IOASID)/pds/ioasid/include -I$(IOASID)/pds/console/log-ring/include

IOASID_COMPILE := cd $(IOASID) && cargo xtask compile --sdk $(abspath $(MICROKIT_SDK)) --config $(MICROKIT_CONFIG) \
	--output $(abspath $(BUILD_DIR))

# disable_iommu keeps the kernel's hands off the unit; a kernel without a driver for it passes over the word. Time is
# counted in instructions, because the kernel measures its timer against a clock that a busy host distorts.
IOASID_QEMU := qemu-system-x86_64 -machine q35,kernel-irqchip=split -m 1G -accel tcg -icount shift=0,sleep=off \
	-cpu qemu64,+fsgsbase,+pdpe1gb,+xsave,+xsaveopt \
	-device intel-iommu,x-scalable-mode=on,x-pasid-mode=on,aw-bits=48 \
	-nodefaults -no-reboot -display none -serial stdio -append disable_iommu

IOASID_SOURCES := $(shell find $(IOASID)/pds $(IOASID)/drivers $(IOASID)/tools/microkit -name '*.rs' -o -name Cargo.toml)

# Both programs at once.
$(BUILD_DIR)/ioasid.elf: $(IOASID_SOURCES)
	$(IOASID_COMPILE) ioasid console

$(BUILD_DIR)/console.elf: $(BUILD_DIR)/ioasid.elf
	touch $@

$(BUILD_DIR)/ioasid.bin: $(SYSTEM) $(IOASID_TOML)
	cd $(IOASID) && cargo run --quiet --package config-compiler -- $(abspath $(SYSTEM)) \
		ioasid $(abspath $(IOASID_TOML)) --output $(abspath $@)

$(BUILD_DIR)/console.bin: $(SYSTEM)
	cd $(IOASID) && cargo run --quiet --package config-compiler -- $(abspath $(SYSTEM)) \
		console --output $(abspath $@)
