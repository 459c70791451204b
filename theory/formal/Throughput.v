(** * The speed-up of one run over another is an identity

    Both runs do the same work [W] on [G] workers.  A run of [K] steps takes [c K + sum_k M(k)]
    units of time, [c] the fixed overhead of a step in units of load.

    Claim: [energy.throughput]. *)

From Coq Require Import Reals Lra List.
From evenkeel Require Import PowerLaw Energy.
Open Scope R_scope.

Definition on_workers (G : nat) (r : run) : Prop := Forall (fun loads => length loads = G) r.

Definition steps (r : run) : R := INR (length r).

Definition duration (c : R) (r : run) : R := c * steps r + sum (map top r).

Definition speed_up (eta eta1 : R) : R := (1 + eta) / (1 + eta1).

(** Idle share of a run without overhead. *)
Definition idle_share (W I : R) : R := I / (W + I).

Lemma worker_time : forall G r, on_workers G r ->
  INR G * sum (map top r) = work r + imbalances r.
Proof.
  unfold on_workers, work, imbalances.
  induction 1 as [|loads rest E F IH]; [unfold sum; simpl; lra|]. cbn [map].
  repeat match goal with |- context [sum (?x :: ?xs)] =>
    change (sum (x :: xs)) with (x + sum xs) end.
  rewrite E, Rmult_plus_distr_l, IH. ring.
Qed.

(** The idle share [f = I / (W + I)] is the imbalance over the worker-time [G sum_k M(k)], one minus
    the balance ratio, and [eta = I / W = f / (1 - f)]. *)
Lemma idle_share_identities : forall G r, on_workers G r -> 0 < work r -> 0 <= imbalances r ->
  let f := idle_share (work r) (imbalances r) in
  f = imbalances r / (INR G * sum (map top r)) /\
  f = 1 - work r / (INR G * sum (map top r)) /\
  imbalances r / work r = f / (1 - f).
Proof.
  intros G r L W I f. rewrite (worker_time G r L). unfold f, idle_share.
  split; [reflexivity|]. split; field; lra.
Qed.

(** The mediant of two ratios lies between them. *)
Lemma mediant : forall a b x y, 0 <= a -> 0 < b -> 0 < y -> a / b <= x / y ->
  a / b <= (a + x) / (b + y) <= x / y.
Proof.
  intros a b x y A B Y H.
  assert (C : a * y <= x * b).
  { apply (Rmult_le_compat_r (b * y)) in H; [|nra].
    replace (a / b * (b * y)) with (a * y) in H by (field; lra).
    replace (x / y * (b * y)) with (x * b) in H by (field; lra). exact H. }
  split.
  - apply (Rmult_le_reg_r (b * (b + y))); [nra|].
    replace (a / b * (b * (b + y))) with (a * (b + y)) by (field; lra).
    replace ((a + x) / (b + y) * (b * (b + y))) with ((a + x) * b) by (field; lra). lra.
  - apply (Rmult_le_reg_r (y * (b + y))); [nra|].
    replace (x / y * (y * (b + y))) with (x * (b + y)) by (field; lra).
    replace ((a + x) / (b + y) * (y * (b + y))) with ((a + x) * y) by (field; lra). lra.
Qed.

Lemma mediant' : forall a b x y, 0 <= x -> 0 < b -> 0 < y -> x / y <= a / b ->
  x / y <= (a + x) / (b + y) <= a / b.
Proof. intros. rewrite (Rplus_comm a), (Rplus_comm b). now apply mediant. Qed.

(** ** [energy.throughput] *)

(** Without overhead the ratio of durations is [(1 + eta) / (1 + eta1)], at most 5/3 from 40 %
    idle.  With overhead it lies between the ratio of steps and that ratio, so it is diluted exactly
    if the ratio of steps is not the larger one. *)
Theorem energy_throughput : forall G r0 r1 W, (1 <= G)%nat -> on_workers G r0 -> on_workers G r1 ->
  loaded r0 -> loaded r1 -> 0 < W -> work r0 = W -> work r1 = W ->
  let eta := imbalances r0 / W in let eta1 := imbalances r1 / W in
  let ratio := speed_up eta eta1 in
  duration 0 r0 / duration 0 r1 = ratio /\
  (idle_share W (imbalances r0) = 40 / 100 -> ratio <= 5 / 3) /\
  (forall c, 0 < c ->
     Rmin (steps r0 / steps r1) ratio <= duration c r0 / duration c r1
       <= Rmax (steps r0 / steps r1) ratio /\
     (imbalances r1 <= imbalances r0 ->
      (duration c r0 / duration c r1 <= ratio <-> steps r0 / steps r1 <= ratio))).
Proof.
  intros G r0 r1 W g L0 L1 N0 N1 w W0 W1 eta eta1 ratio.
  assert (N : forall r, loaded r -> 0 <= imbalances r).
  { intros r L. destruct (usage_with_overhead 0 r L).
    destruct (busy_idle_nonnegative 0 r (Rle_refl 0) L). lra. }
  pose proof (N r0 N0) as I0. pose proof (N r1 N1) as I1.
  pose proof (worker_time G r0 L0) as T0. pose proof (worker_time G r1 L1) as T1.
  rewrite W0 in T0. rewrite W1 in T1.
  assert (g0 : 0 < INR G) by (apply lt_0_INR; exact g).
  set (m0 := sum (map top r0)) in *. set (m1 := sum (map top r1)) in *.
  assert (P0 : 0 < m0) by nra. assert (P1 : 0 < m1) by nra.
  assert (R : m0 / m1 = ratio).
  { unfold ratio, speed_up, eta, eta1.
    replace (imbalances r0) with (INR G * m0 - W) by lra.
    replace (imbalances r1) with (INR G * m1 - W) by lra.
    replace (1 + (INR G * m0 - W) / W) with (INR G * m0 / W) by (field; lra).
    replace (1 + (INR G * m1 - W) / W) with (INR G * m1 / W) by (field; lra).
    field. repeat split; lra. }
  split; [|split].
  - unfold duration. rewrite !Rmult_0_l, !Rplus_0_l. exact R.
  - intros F. unfold idle_share in F. unfold ratio, speed_up.
    assert (E : imbalances r0 = 2 / 3 * W).
    { assert (H : imbalances r0 / (W + imbalances r0) * (W + imbalances r0) = imbalances r0)
        by (field; lra). rewrite F in H. lra. }
    assert (eta = 2 / 3) by (unfold eta; rewrite E; field; lra).
    assert (0 <= eta1).
    { unfold eta1, Rdiv. apply Rmult_le_pos; [lra|]. left. now apply Rinv_0_lt_compat. }
    rewrite H. apply (Rmult_le_reg_r (1 + eta1)); [lra|].
    replace ((1 + 2 / 3) / (1 + eta1) * (1 + eta1)) with (5 / 3) by (field; lra). lra.
  - intros c C.
    assert (S : forall r m, 0 < m -> m = sum (map top r) -> 0 < steps r).
    { intros r m M E. unfold steps. apply lt_0_INR.
      destruct r; [simpl in E; lra|simpl; auto with arith]. }
    pose proof (S r0 m0 P0 eq_refl) as S0. pose proof (S r1 m1 P1 eq_refl) as S1.
    assert (Q : c * steps r0 / (c * steps r1) = steps r0 / steps r1) by (field; lra).
    assert (A : 0 < c * steps r0) by now apply Rmult_lt_0_compat.
    assert (B : 0 < c * steps r1) by now apply Rmult_lt_0_compat.
    unfold duration. fold m0. fold m1. rewrite <- R, <- Q. split.
    + destruct (Rle_lt_dec (c * steps r0 / (c * steps r1)) (m0 / m1)) as [H|H].
      * rewrite Rmin_left, Rmax_right by exact H. apply mediant; lra.
      * rewrite Rmin_right, Rmax_left by lra. apply mediant'; lra.
    + intros _. split; intros H.
      * apply Rnot_lt_le. intros K. apply (Rle_not_lt _ _ H).
        apply (Rmult_lt_reg_r (m1 * (c * steps r1 + m1))); [nra|].
        replace (m0 / m1 * (m1 * (c * steps r1 + m1))) with (m0 * (c * steps r1 + m1))
          by (field; lra).
        replace ((c * steps r0 + m0) / (c * steps r1 + m1) * (m1 * (c * steps r1 + m1)))
          with ((c * steps r0 + m0) * m1) by (field; lra).
        apply (Rmult_lt_compat_r (m1 * (c * steps r1))) in K; [|nra].
        replace (m0 / m1 * (m1 * (c * steps r1))) with (m0 * (c * steps r1)) in K by (field; lra).
        replace (c * steps r0 / (c * steps r1) * (m1 * (c * steps r1)))
          with (c * steps r0 * m1) in K by (field; repeat split; lra). lra.
      * apply mediant; lra.
Qed.
