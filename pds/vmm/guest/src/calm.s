# SPDX-License-Identifier: BSD-2-Clause
# The guest that behaves: it tries all that it has been given, has its PASIDs taken away, and begins anew.

.set PAIRS, 2000

calm:
    testl %ebp, %ebp
    jnz calm_anew
    movl CAP, %eax
    shrl $7, %eax
    andl $1, %eax
    CHECK "s87: the unit says that it is virtual (CAP.CM)"
    movl ECAP_HIGH, %eax
    shrl $12, %eax
    andl $1, %eax
    andl VCCAP, %eax
    CHECK "s87: it has a virtual command register for PASIDs (ECAP.VCS, VCCAP.PAS)"

    # The processor.
    fnstcw WAITED
    cmpw $0x37f, WAITED
    CHECK_EQUAL "floating-point exceptions are masked at the start"
    movl $1, %eax
    cpuid
    orl %ebx, %eax
    orl %ecx, %eax
    orl %edx, %eax
    CHECK_EQUAL "CPUID says that there is nothing"
    movl $0x12345678, %eax
    inb $0x60, %al
    outb %al, $0x80
    cmpl $0x123456ff, %eax
    CHECK_EQUAL "a port that nothing is behind reads as ones, as wide as the access"
    movl $-1, %eax
    movl $-1, %edx
    movl $0x10, %ecx
    wrmsr
    rdmsr
    orl %edx, %eax
    CHECK_EQUAL "a register of the processor that is not there is zero, whatever is written"

    # PASIDs.
    call fill
    CHECK "a machine has as many PASIDs as its quota says"
    call status_after_alloc
    cmpl $NO_PASID, %eax
    CHECK_EQUAL "s85: an allocation over quota has status 16"
    call drain
    CHECK "every one of them is freed"
    movl $PAIRS, %edi
    call pairs
    testl %esi, %esi
    CHECK_EQUAL "4000 commands one after another, none refused"

    # Interrupts: of a completion that was asked for, and of PASIDs that were taken away.
    call listen
    xorl %ebx, %ebx
    movl $0xc0de, %eax
    call submit
    sti
    movl $1000, %ecx
1:  cmpl $0, COMPLETIONS
    jne 2f
    loop 1b
2:  cli
    cmpl $0xc0de, WAITED
    sete %al
    movzbl %al, %eax
    andl COMPLETIONS, %eax
    CHECK "a wait descriptor is done, and its interrupt arrives once"
    call fill
    CHECK "the quota once more"
    CALL_MONITOR TAKE_ALL
    cmpl $0, FSTS
    CHECK_EQUAL "all its PASIDs are to be taken away, and are not yet"
    # STI lets no interrupt in before HLT.
3:  sti
    hlt
    cli
    cmpl $0, FAULTS
    je 3b
    cmpl $1, FAULTS
    CHECK_EQUAL "one fault interrupt woke it"
    cmpl $3, FAULTS + 4
    CHECK_EQUAL "its unit has a fault, and more than it has records for"
    # F, PASID and reason; PASID present.
    movl FAULTS + 12, %eax
    shrl $8, %eax
    andl $0xfffff, %eax
    cmpl %eax, LIST
    CHECK_EQUAL "the first of its PASIDs is what faulted"
    movl FAULTS + 12, %eax
    andl $0x800000ff, %eax
    cmpl $0x80000059, %eax
    CHECK_EQUAL "the reason is that its PASID entry is not present"
    cmpl $0, FSTS
    CHECK_EQUAL "what was looked at is gone"
    movl LIST, %ebx
    call status_after_free
    cmpl $NO_PASID, %eax
    CHECK_EQUAL "what was taken away can no longer be freed"
    call status_after_alloc
    cmpl $NO_PASID, %eax
    CHECK_EQUAL "nor is there anything to be allocated"
    CALL_MONITOR RESET

calm_anew:
    call fill
    CHECK "after a reset the quota is there again"
    call drain
    CHECK "and can be freed"
    jmp done
