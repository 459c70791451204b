(** * A saving of 28 % on the paper's constants: impossible, possible, guaranteed

    100/400 W, exponent 0.7, no overhead; [f = I0 / (W + I0)] is the baseline's idle share.

    Claim: [energy.saving-28]. *)

From Coq Require Import Reals Lra List.
From evenkeel Require Import PowerLaw Energy Saving Throughput.
Open Scope R_scope.

Lemma tenth_power : forall x, 0 < x ->
  let y := power_of x (3 / 10) in 0 < y /\ y ^ 10 = x ^ 3.
Proof.
  intros x X. cbv zeta. rewrite power_of_positive by exact X.
  assert (Y : 0 < Rpower x (3 / 10)) by (unfold Rpower; apply exp_pos). split; [exact Y|].
  rewrite <- (Rpower_pow 10 _ Y), Rpower_mult.
  replace (3 / 10 * INR 10) with (INR 3) by (simpl; lra). now apply Rpower_pow.
Qed.

Lemma power_below : forall x b m, 0 < x <= m -> 0 < b -> m ^ 3 < b ^ 10 ->
  power_of x (3 / 10) < b.
Proof.
  intros x b m X B H. destruct (tenth_power x (proj1 X)) as [Y E]. apply Rnot_le_lt. intros L.
  assert (b ^ 10 <= power_of x (3 / 10) ^ 10) by (apply pow_incr; lra).
  assert (x ^ 3 <= m ^ 3) by (apply pow_incr; lra). lra.
Qed.

Lemma power_above : forall x b m, 0 < m <= x -> 0 < b -> b ^ 10 < m ^ 3 ->
  b < power_of x (3 / 10).
Proof.
  intros x b m X B H. destruct (tenth_power x) as [Y E]; [lra|]. apply Rnot_le_lt. intros L.
  assert (power_of x (3 / 10) ^ 10 <= b ^ 10) by (apply pow_incr; lra).
  assert (m ^ 3 <= x ^ 3) by (apply pow_incr; lra). lra.
Qed.

(** [400 / v] against 72 %. *)
Lemma against_72 : forall v, 0 < v ->
  (v < 5000 / 9 -> 1 - 400 / v < 28 / 100) /\ (5000 / 9 < v -> 28 / 100 < 1 - 400 / v).
Proof.
  intros v V. assert (E : 400 / v * v = 400) by (field; lra).
  assert (0 < 400 / v) by (apply Rdiv_lt_0_compat; lra). split; intros H1; nra.
Qed.

Lemma cap_of_a100 : forall eta, 0 <= eta ->
  0 < 100 * (1 + eta) + 300 * power_of (1 + eta) (3 / 10) /\
  saving_cap a100 eta 0 = 1 - 400 / (100 * (1 + eta) + 300 * power_of (1 + eta) (3 / 10)).
Proof.
  intros eta E. pose proof (power_of_nonnegative (1 + eta) (3 / 10)). split; [lra|].
  unfold saving_cap, envelope_per_work, a100. cbn [P_idle P_max gamma].
  replace (1 - 7 / 10) with (3 / 10) by lra.
  replace (400 + 100 * 0) with 400 by ring. replace (400 - 100) with 300 by ring. reflexivity.
Qed.

(** Idle share and ratio, one rises with the other. *)
Lemma share_order : forall eta f, 0 <= eta -> f < 1 ->
  (eta / (1 + eta) <= f <-> eta <= f / (1 - f)).
Proof.
  intros eta f E F. assert (A : eta / (1 + eta) * (1 + eta) = eta) by (field; lra).
  assert (B : f / (1 - f) * (1 - f) = f) by (field; lra).
  split; intros H.
  - apply (Rmult_le_reg_r (1 - f)); [lra|]. rewrite B.
    apply (Rmult_le_compat_r (1 + eta)) in H; lra.
  - apply (Rmult_le_reg_r (1 + eta)); [lra|]. rewrite A.
    apply (Rmult_le_compat_r (1 - f)) in H; lra.
Qed.

Lemma share_of_run : forall W I, 0 < W -> 0 <= I ->
  idle_share W I = I / W / (1 + I / W).
Proof. intros. unfold idle_share. field. lra. Qed.

(** Up to 47.69 % idle no run saves 28 %; from 47.70 % to 14/23 = 60.87 % some perfectly balanced
    runs do and some do not; from 14/23 on all of them do.  The paper's form says so from 280/397 =
    70.53 % on. *)
Theorem energy_saving_28 :
  (forall r0 r1 W, pair_of_runs r0 r1 W -> idle_share W (imbalances r0) <= 4769 / 10000 ->
     saving a100 r0 r1 < 28 / 100) /\
  (forall eta, 0 <= eta -> 4770 / 10000 <= eta / (1 + eta) < 14 / 23 ->
     exists N : nat, forall n : nat, (N <= n)%nat ->
       let some_pair good := exists r0 r1, pair_of_runs r0 r1 (INR n) /\
         imbalances r0 / INR n = eta /\ imbalances r1 / INR n = 0 /\ good (saving a100 r0 r1) in
       some_pair (fun s => 28 / 100 < s) /\ some_pair (fun s => s < 28 / 100)) /\
  (forall r0 r1 W, pair_of_runs r0 r1 W -> imbalances r1 = 0 ->
     14 / 23 <= idle_share W (imbalances r0) -> 28 / 100 <= saving a100 r0 r1) /\
  (forall eta, 0 <= eta ->
     (28 / 100 <= saving_paper a100 eta 0 <-> 280 / 397 <= eta / (1 + eta))).
Proof.
  assert (Sharp : forall eta, 0 <= eta ->
    saving_sharp a100 eta 0 - 28 / 100 = 72 * (eta - 14 / 9) / (400 + 100 * eta)).
  { intros eta E. unfold saving_sharp, a100. cbn [P_idle P_max]. field. lra. }
  split; [|split; [|split]].
  - intros r0 r1 W R F. pose proof R as (L0 & _ & _ & _ & w).
    destruct (usage_without_overhead r0 L0) as (_ & _ & _ & I0).
    rewrite share_of_run in F by assumption.
    pose proof (ratio_nonnegative _ _ I0 w) as E. destruct energy_cap as (Cap & _).
    destruct (Cap a100 r0 r1 W a100_valid R) as [C1 C2]. set (eta := imbalances r0 / W) in *.
    apply share_order in F; [|exact E|lra].
    apply Rle_lt_trans with (saving_cap a100 eta 0); [lra|].
    destruct (cap_of_a100 eta E) as [V ->]. apply against_72; [exact V|].
    assert (power_of (1 + eta) (3 / 10) < 12146 / 10000); [|lra].
    apply power_below with (10000 / 5231); lra.
  - intros eta E [F1 F2].
    assert (X : 4770 / 5230 <= eta).
    { apply Rnot_lt_le. intros H. apply (Rlt_irrefl (4770 / 10000)).
      apply Rle_lt_trans with (1 := F1). apply (Rmult_lt_reg_r (1 + eta)); [lra|].
      replace (eta / (1 + eta) * (1 + eta)) with eta by (field; lra). lra. }
    assert (Y : eta < 14 / 9).
    { apply (Rmult_lt_compat_r (1 + eta)) in F2; [|lra].
      replace (eta / (1 + eta) * (1 + eta)) with eta in F2 by (field; lra). lra. }
    assert (C : 28 / 100 < saving_cap a100 eta 0).
    { destruct (cap_of_a100 eta E) as [V ->]. apply against_72; [exact V|].
      assert (12146 / 10000 < power_of (1 + eta) (3 / 10)); [|lra].
      apply power_above with (10000 / 5230); lra. }
    assert (D : saving_floor a100 eta 0 < 28 / 100).
    { apply Rle_lt_trans with (saving_sharp a100 eta 0).
      - right. unfold saving_floor, saving_sharp, envelope_per_work.
        replace (1 + 0) with 1 by ring. rewrite power_of_1. unfold a100. cbn [P_idle P_max].
        field. lra.
      - assert (0 < 72 * (14 / 9 - eta) / (400 + 100 * eta)).
        { apply Rdiv_lt_0_compat; lra. }
        assert (72 * (14 / 9 - eta) / (400 + 100 * eta)
          = - (72 * (eta - 14 / 9) / (400 + 100 * eta))) by (field; lra).
        pose proof (Sharp eta E). lra. }
    destruct energy_saving_envelope as [_ Near].
    destruct (Near a100 eta 0 (saving_cap a100 eta 0 - 28 / 100) a100_valid E (Rle_refl 0))
      as [N1 H1]; [lra|].
    destruct (Near a100 eta 0 (28 / 100 - saving_floor a100 eta 0) a100_valid E (Rle_refl 0))
      as [N2 H2]; [lra|].
    exists (Nat.max N1 N2). intros n Hn. cbv zeta.
    destruct (H1 n (Nat.le_trans _ _ _ (Nat.le_max_l N1 N2) Hn)) as [(r0 & r1 & A & B & K & S) _].
    destruct (H2 n (Nat.le_trans _ _ _ (Nat.le_max_r N1 N2) Hn)) as [_ (q0 & q1 & A' & B' & K' & S')].
    split.
    + exists r0, r1. repeat split; try apply A; auto. lra.
    + exists q0, q1. repeat split; try apply A'; auto. lra.
  - intros r0 r1 W R Z F. pose proof R as (L0 & _ & _ & _ & w).
    destruct (usage_without_overhead r0 L0) as (_ & _ & _ & I0).
    rewrite share_of_run in F by assumption.
    pose proof (ratio_nonnegative _ _ I0 w) as E. destruct energy_saving_sharp as (Fl & _).
    pose proof (Fl a100 r0 r1 W a100_valid R) as S. rewrite Z in S.
    replace (0 / W) with 0 in S by (field; lra). set (eta := imbalances r0 / W) in *.
    apply (Rmult_le_compat_r (1 + eta)) in F; [|lra].
    replace (eta / (1 + eta) * (1 + eta)) with eta in F by (field; lra).
    assert (0 <= 72 * (eta - 14 / 9) / (400 + 100 * eta)).
    { unfold Rdiv. apply Rmult_le_pos; [lra|]. left. apply Rinv_0_lt_compat. lra. }
    pose proof (Sharp eta E). lra.
  - intros eta E.
    assert (P : (saving_paper a100 eta 0 - 28 / 100) * (400 + 190 * eta)
      = 468 / 10 * (eta - 280 / 117)).
    { unfold saving_paper, waste, a100. cbn [P_idle P_max gamma]. field. lra. }
    assert (Q : (eta / (1 + eta) - 280 / 397) * (1 + eta) = 117 / 397 * (eta - 280 / 117))
      by (field; lra).
    split; intros H.
    + apply Rnot_lt_le. intros L. nra.
    + apply Rnot_lt_le. intros L. nra.
Qed.
