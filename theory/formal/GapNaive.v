(** * Counterexamples: an optimal step need not leave a gap of at most the largest size

    Three reasons: a worker without a free slot; unequal numbers of slots, however many requests
    wait; a tie among optima.

    Claim: [step.gap-naive]. *)

From Coq Require Import ZArith List Lia Permutation.
From evenkeel Require Import Loads Step.
Import ListNotations.
Open Scope Z_scope.

Definition gap (loads : list Z) : Z := largest loads - smallest loads.

(** Loads are not negative and sizes lie in [1, s_max]. *)
Definition sizes_at_most (s : step) (s_max : Z) : Prop :=
  well_formed s /\ Forall (fun load => 0 <= load) (loads s) /\
  Forall (fun size => 1 <= size <= s_max) (pool s).

Definition no_free_slot : step := Step [0; 1] [0; 1]%nat [1].
Definition unequal_slots (n : nat) : step := Step [0; 1] [1; 2]%nat (repeat 1 n).
Definition tie : step := Step [0; 0; 0] [2; 2; 2]%nat [1; 1; 3; 3; 3; 3].

Lemma no_free_slot_gap : forall groups, optimal no_free_slot groups ->
  gap (after no_free_slot groups) = 2.
Proof.
  intros groups [A _]. destruct (choices_complete _ _ A) as (listed & I & <-).
  vm_compute in I. destruct I as [<-|[]]. reflexivity.
Qed.

Lemma unequal_slots_gap : forall n groups, (3 <= n)%nat -> optimal (unequal_slots n) groups ->
  gap (after (unequal_slots n) groups) = 2.
Proof.
  intros n groups N [A _].
  assert (F : Forall2 (fun c group => length group = c) [1; 2]%nat groups).
  { apply (every_slot_filled _ _ A). simpl. rewrite repeat_length. lia. }
  assert (S : Forall (fun size => size = 1) (concat groups)).
  { apply (admitted_sizes _ _ _ A). apply Forall_forall. exact (repeat_spec n 1). }
  inversion F as [|? g1 ? gs L1 F']; subst. inversion F' as [|? g2 ? ? L2 F'']; subst.
  inversion F''; subst. destruct g1 as [|x [|]]; try discriminate.
  destruct g2 as [|y [|z [|]]]; try discriminate. simpl in S.
  repeat match goal with H : Forall _ (_ :: _) |- _ => inversion H; clear H; subst end.
  reflexivity.
Qed.

Lemma tie_costs_four : forall groups, admits tie groups -> 4 <= cost tie groups.
Proof.
  intros groups A. destruct (choices_complete _ _ A) as (listed & I & E).
  unfold cost. rewrite <- E.
  assert (T : forallb (fun g => 4 <=? cost tie g) (choices tie) = true) by (vm_compute; reflexivity).
  rewrite forallb_forall in T. now apply Z.leb_le, T.
Qed.

(** The statement "an optimal admission leaves max - min <= s_max" is false. *)
Theorem step_gap_naive_is_false :
  ~ (forall s s_max groups, sizes_at_most s s_max -> optimal s groups ->
       gap (after s groups) <= s_max) /\
  (sizes_at_most no_free_slot 1 /\
     forall groups, optimal no_free_slot groups -> 1 < gap (after no_free_slot groups)) /\
  (forall n, (3 <= n)%nat -> sizes_at_most (unequal_slots n) 1 /\
     forall groups, optimal (unequal_slots n) groups -> 1 < gap (after (unequal_slots n) groups)) /\
  (sizes_at_most tie 3 /\
     (exists groups, optimal tie groups /\ gap (after tie groups) = 4) /\
     (exists groups, optimal tie groups /\ gap (after tie groups) = 2)).
Proof.
  assert (X : sizes_at_most no_free_slot 1).
  { repeat split; simpl; repeat constructor; try lia. discriminate. }
  assert (opt : forall groups, admits tie groups -> cost tie groups = 4 -> optimal tie groups).
  { intros groups A C. split; [exact A|]. intros others B. rewrite C. now apply tie_costs_four. }
  repeat split; simpl; try discriminate; repeat constructor; try lia.
  - intros H. destruct (optimum_exists no_free_slot) as (groups & O & _).
    specialize (H _ _ _ X O). rewrite no_free_slot_gap in H by exact O. lia.
  - intros groups O. rewrite no_free_slot_gap by exact O. lia.
  - apply Forall_forall. intros x I. apply repeat_spec in I. lia.
  - intros groups O. rewrite unequal_slots_gap by assumption. lia.
  - exists [[1; 1]; [3; 3]; [3; 3]]. split; [|reflexivity].
    apply opt; [|reflexivity]. apply choices_sound. vm_compute. tauto.
  - exists [[1; 3]; [1; 3]; [3; 3]]. split; [|reflexivity].
    apply opt; [|reflexivity]. apply choices_sound. vm_compute. tauto.
Qed.
