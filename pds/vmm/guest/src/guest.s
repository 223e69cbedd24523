# SPDX-License-Identifier: BSD-2-Clause
# The guests. A PASID's number has at most 16 bits here but in one check, so that a free is one write.

.section .rodata.vmm_guest, "a", @progbits
.globl vmm_guest_start
.globl vmm_guest_end
.balign 16
.code32

.set BASE, 0x1000
.set UNIT, 0xfed90000
.set CAP, UNIT + 0x8
.set ECAP_HIGH, UNIT + 0x14
.set VCMD, UNIT + 0xe00
.set VCRSP, UNIT + 0xe10
.set VCCAP, UNIT + 0xe30
# Ids that a machine may have: its limit in ioasid.toml.
.set QUOTA, 16
.set NO_PASID, 16
# Pairs of allocation and free: two round trips each.
.set PAIRS, 50000
# The list of the guest's ids.
.set LIST, 0x4000

# Says that what is in EAX (not zero) holds.
.macro CHECK text
    movl %eax, %ecx
    movl $(771f - vmm_guest_start + BASE), %ebx
    movl $1, %eax
    vmcall
    jmp 772f
771: .asciz "\text"
772:
.endm

# Says a text and the number in ECX.
.macro SAY text
    movl $(771f - vmm_guest_start + BASE), %ebx
    xorl %eax, %eax
    vmcall
    jmp 772f
771: .asciz "\text"
772:
.endm

# EAX becomes 1 where the comparison just made came out equal, else 0.
.macro EQUAL
    sete %al
    movzbl %al, %eax
.endm

vmm_guest_start:
    movl %ecx, %ebp
    testl %eax, %eax
    jnz rogue

calm:
    movl CAP, %eax
    shrl $7, %eax
    andl $1, %eax
    CHECK "the unit says that it is virtual (CAP.CM)"
    movl ECAP_HIGH, %eax
    shrl $12, %eax
    andl $1, %eax
    andl VCCAP, %eax
    CHECK "it has a virtual command register for PASIDs (ECAP.VCS, VCCAP.PAS)"
    call fill
    call status_after_alloc
    cmpl $NO_PASID, %eax
    EQUAL
    CHECK "an allocation over quota has status 16, and all before it had PASIDs"
    call drain
    CHECK "every one of them is freed"
    movl $PAIRS, %edi
    xorl %esi, %esi
    rdtsc
    pushl %eax
1:  call status_after_alloc
    testl %eax, %eax
    setne %cl
    movzbl %cl, %ecx
    addl %ecx, %esi
    movl %edx, %ebx
    call status_after_free
    testl %eax, %eax
    setne %cl
    movzbl %cl, %ecx
    addl %ecx, %esi
    decl %edi
    jnz 1b
    rdtsc
    popl %ecx
    subl %ecx, %eax
    xorl %edx, %edx
    movl $PAIRS, %ecx
    divl %ecx
    movl %eax, %ecx
    SAY "ticks for an allocation and a free"
    testl %esi, %esi
    EQUAL
    CHECK "100000 commands one after another, none refused"
    jmp done

rogue:
    cmpl $1, %ebp
    je second_life
    ja third_life
    # The first life: takes all that it may, then reaches for what is others'.
    call fill
    testl %eax, %eax
    setne %al
    movzbl %al, %eax
    CHECK "a machine has as many PASIDs as its quota says"
    call steal
    CHECK "no PASID up to 0x3ff that is not its own can be freed: status 16"
    # Bits 19:16 of a number are in the upper half.
    movl $0xf, VCMD + 4
    movl $(0xffff << 16 | 2), VCMD
    call wait
    cmpl $NO_PASID, %eax
    EQUAL
    CHECK "nor the highest one, written in halves"
    movl $0x77, VCMD
    call wait
    testl %eax, %eax
    setne %dl
    cmpl $NO_PASID, %eax
    setne %al
    andb %dl, %al
    movzbl %al, %eax
    CHECK "a command that there is not has an error status"
    # A narrow write is none, and none of a capability changes it.
    movw $1, VCMD
    movl $0, CAP
    movl CAP, %eax
    shrl $7, %eax
    andl $1, %eax
    CHECK "a write to a capability changes nothing"
    # And hangs, with interrupts off.
    cli
2:  jmp 2b

second_life:
    call fill
    testl %eax, %eax
    setne %al
    movzbl %al, %eax
    CHECK "after a hang, all that the machine had is free again"
    # An interrupt before there is anywhere to go with it, so a fault while that fault is delivered, and again.
    pushl $0
    pushl $0
    lidt (%esp)
    int3

third_life:
    call fill
    testl %eax, %eax
    setne %al
    movzbl %al, %eax
    CHECK "after a triple fault, all that the machine had is free again"
    call drain
    CHECK "and can be freed"

done:
    movl $2, %eax
    vmcall
    jmp done

# Waits until no command is in progress: EAX the status, EDX the result.
wait:
    movl VCRSP, %eax
    testl $1, %eax
    jnz wait
    movl VCRSP + 4, %edx
    shll $16, %edx
    movl %eax, %ecx
    shrl $16, %ecx
    orl %ecx, %edx
    shrl $1, %eax
    andl $0x7f, %eax
    ret

# EAX the status of an allocation, EDX the PASID.
status_after_alloc:
    movl $1, VCMD
    jmp wait

# EAX the status of freeing EBX.
status_after_free:
    shll $16, %ebx
    orl $2, %ebx
    movl %ebx, VCMD
    jmp wait

# Allocates the quota into the list: EAX 1 where all were given.
fill:
    xorl %edi, %edi
1:  call status_after_alloc
    testl %eax, %eax
    jnz 2f
    movl %edx, LIST(,%edi,4)
    incl %edi
    cmpl $QUOTA, %edi
    jb 1b
    movl $1, %eax
    ret
2:  xorl %eax, %eax
    ret

# Frees the list: EAX 1 where all were freed.
drain:
    xorl %edi, %edi
1:  movl LIST(,%edi,4), %ebx
    call status_after_free
    testl %eax, %eax
    jnz 2f
    incl %edi
    cmpl $QUOTA, %edi
    jb 1b
    movl $1, %eax
    ret
2:  xorl %eax, %eax
    ret

# Tries to free each number from 0 to 0x3ff that is not in the list: EAX 1 where all were refused with status 16.
steal:
    xorl %esi, %esi
1:  xorl %edi, %edi
2:  cmpl %esi, LIST(,%edi,4)
    je 3f
    incl %edi
    cmpl $QUOTA, %edi
    jb 2b
    movl %esi, %ebx
    call status_after_free
    cmpl $NO_PASID, %eax
    jne 4f
3:  incl %esi
    cmpl $0x400, %esi
    jb 1b
    movl $1, %eax
    ret
4:  xorl %eax, %eax
    ret

vmm_guest_end:
.code64
.text
