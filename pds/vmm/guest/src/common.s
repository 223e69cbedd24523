# SPDX-License-Identifier: BSD-2-Clause
# What the guests share: words to their monitor, commands to their unit, interrupts. A PASID's number has at most 16
# bits here but in one check, so that a free is one write.

.set BASE, 0x1000
.set UNIT, 0xfed90000
.set CAP, UNIT + 0x8
.set ECAP_HIGH, UNIT + 0x14
.set GCMD, UNIT + 0x18
.set FSTS, UNIT + 0x34
.set FECTL, UNIT + 0x38
.set FEDATA, UNIT + 0x3c
.set IQT, UNIT + 0x88
.set IQA, UNIT + 0x90
.set ICS, UNIT + 0x9c
.set IECTL, UNIT + 0xa0
.set IEDATA, UNIT + 0xa4
.set FAULT_RECORD, UNIT + 0x220
.set VCMD, UNIT + 0xe00
.set VCRSP, UNIT + 0xe10
.set VCCAP, UNIT + 0xe30

# Ids that a machine may have: its limit in ioasid.toml.
.set QUOTA, 16
.set NO_PASID, 16

# Memory: the list of the guest's ids, its interrupt table, the unit's queue, and words that interrupts change.
.set LIST, 0x4000
.set IDT, 0x5000
.set QUEUE, 0x6000
.set WAITED, 0x7000
.set COMPLETIONS, 0x7010
.set FAULTS, 0x7020

.set COMPLETION_VECTOR, 0x21
.set FAULT_VECTOR, 0x31

# Calls to the monitor.
.set SAY, 0
.set CHECK, 1
.set DONE, 2
.set RESET, 3
.set TAKE_ALL, 4
.set COUNT_EXITS, 5
.set NOTHING, 6

.macro CALL_MONITOR number
    movl $\number, %eax
    vmcall
.endm

.macro TELL number text
    movl $(771f - vmm_guest_start + BASE), %ebx
    CALL_MONITOR \number
    jmp 772f
771: .asciz "\text"
772:
.endm

# Says a text and the number in ECX.
.macro SAY text
    TELL SAY "\text"
.endm

# Says whether what is in EAX (zero or not) holds.
.macro CHECK text
    movl %eax, %ecx
    TELL CHECK "\text"
.endm

# As CHECK, for a comparison just made that is to come out equal.
.macro CHECK_EQUAL text
    sete %al
    movzbl %al, %eax
    CHECK "\text"
.endm

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

# Allocates and frees EDI times: ESI the commands that were refused.
pairs:
    xorl %esi, %esi
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
    ret

# Has the unit's two messages arrive, and its queue work. Interrupts stay off.
listen:
    lgdt gdt_pointer - vmm_guest_start + BASE
    lidt idt_pointer - vmm_guest_start + BASE
    movl $(completion - vmm_guest_start + BASE), %eax
    movl $COMPLETION_VECTOR, %ecx
    call gate
    movl $(fault - vmm_guest_start + BASE), %eax
    movl $FAULT_VECTOR, %ecx
    call gate
    movl $COMPLETION_VECTOR, IEDATA
    movl $0, IECTL
    movl $FAULT_VECTOR, FEDATA
    movl $0, FECTL
    movl $QUEUE, IQA
    movl $0, IQA + 4
    movl $(1 << 26), GCMD
    ret

# An interrupt gate to EAX at vector ECX.
gate:
    movl $(8 << 16), %edx
    movw %ax, %dx
    movl %edx, IDT(,%ecx,8)
    movw $0x8e00, %ax
    movl %eax, IDT + 4(,%ecx,8)
    ret

# Submits a wait descriptor that writes EAX and sends its message. EBX is the queue's tail, and moves on.
submit:
    movl $(5 | 1 << 4 | 1 << 5), QUEUE(%ebx)
    movl %eax, QUEUE + 4(%ebx)
    movl $WAITED, QUEUE + 8(%ebx)
    movl $0, QUEUE + 12(%ebx)
    addl $16, %ebx
    andl $0xfff, %ebx
    movl %ebx, IQT
    ret

completion:
    incl COMPLETIONS
    movl $1, ICS
    iretl

# As Linux does it: the record is looked at, then given back, then the status cleared.
fault:
    pushl %eax
    incl FAULTS
    movl FSTS, %eax
    movl %eax, FAULTS + 4
    movl FAULT_RECORD + 12, %eax
    movl %eax, FAULTS + 12
    movl FAULT_RECORD + 8, %eax
    movl %eax, FAULTS + 8
    movl $(1 << 31), FAULT_RECORD + 12
    movl $3, FSTS
    popl %eax
    iretl

.balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long gdt - vmm_guest_start + BASE
idt_pointer:
    .word 256 * 8 - 1
    .long IDT
