# SPDX-License-Identifier: BSD-2-Clause
# The guest that does not behave. Each life begins with its quota, and ends badly with all of it allocated.

.set FLOOD, 5000

rogue:
    call fill
    CHECK "s86: a machine has all of its quota at the start of each life"
    movl rogue_lives - vmm_guest_start + BASE(,%ebp,4), %eax
    jmp *%eax

rogue_lives:
    .long rogue_steals - vmm_guest_start + BASE
    .long rogue_spins - vmm_guest_start + BASE
    .long rogue_faults - vmm_guest_start + BASE
    .long rogue_floods - vmm_guest_start + BASE
    .long rogue_halts - vmm_guest_start + BASE
    .long rogue_ends - vmm_guest_start + BASE

# Reaches for what is others', then hangs with interrupts off.
rogue_steals:
    call steal
    CHECK "s82: no PASID up to 0x3ff that is not its own can be freed: status 16"
    # Bits 19:16 of a number are in the upper half.
    movl $0xf, VCMD + 4
    movl $(0xffff << 16 | 2), VCMD
    call wait
    cmpl $NO_PASID, %eax
    CHECK_EQUAL "s84: nor the highest one, written in halves"
    movl $0x77, VCMD
    call wait
    testl %eax, %eax
    setne %dl
    cmpl $NO_PASID, %eax
    setne %al
    andb %dl, %al
    movzbl %al, %eax
    CHECK "s83: a command that there is not has an error status"
    # A narrow write is none, and none of a capability changes it.
    movl VCRSP, %esi
    movw $1, VCMD
    cmpl %esi, VCRSP
    CHECK_EQUAL "s84: a write of two bytes is none"
    movl $0, CAP
    movl CAP, %eax
    shrl $7, %eax
    andl $1, %eax
    CHECK "s87: a write to a capability changes nothing"
    cli
1:  jmp 1b

# Hangs with interrupts on.
rogue_spins:
    sti
1:  jmp 1b

# An interrupt before there is anywhere to go with it, so a fault while that fault is delivered, and again.
rogue_faults:
    pushl $0
    pushl $0
    lidt (%esp)
    int3

# Asks for more than there is, frees what is not its own, commands what there is not, fills its queue with nonsense,
# talks without end; then reaches for memory that it has not.
rogue_floods:
    call listen
    movl $FLOOD, %edi
1:  call status_after_alloc
    xorl %ebx, %ebx
    call status_after_free
    movl $0x77, VCMD
    movl $0xf, QUEUE
    movl $0x100, IQT
    movl $(1 << 4), FSTS
    movl %edi, %ecx
    SAY "a line of a guest that talks too much"
    decl %edi
    jnz 1b
    movl UNIT + 0x1000, %eax

rogue_halts:
    cli
    hlt

rogue_ends:
    call drain
    CHECK "what it has to the end it can free"

done:
    CALL_MONITOR DONE
    jmp done

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
