(** * The saving of one run over another at equal work

    No overhead ([c = 0]).  [W] is the work of both runs, [I0] and [I1] their imbalances; the
    formulas use the ratios [eta = I0 / W] and [eta1 = I1 / W], and [alpha = I0 / I1].

    Claims: [energy.saving-paper], [energy.saving-sharp], [energy.limit-paper], [energy.cap]. *)

From Coq Require Import Reals Lra List.
From evenkeel Require Import PowerLaw Energy.
Import ListNotations.
Open Scope R_scope.

Definition saving_paper (d : device) (eta eta1 : R) : R :=
  (P_idle d * eta - waste d * eta1) / (P_max d + waste d * eta).

Definition saving_sharp (d : device) (eta eta1 : R) : R :=
  (P_idle d * eta - waste d * eta1) / (P_max d + P_idle d * eta).

(** The same floors with the improvement ratio [alpha]. *)
Definition paper_form (d : device) (eta alpha : R) : R :=
  (P_idle d - waste d / alpha) / (P_max d / eta + waste d).

Definition sharp_form (d : device) (eta alpha : R) : R :=
  eta * (P_idle d - waste d / alpha) / (P_max d + P_idle d * eta).

(** The envelope's upper side, per unit of work. *)
Definition envelope_per_work (d : device) (eta : R) : R :=
  P_idle d * (1 + eta) + (P_max d - P_idle d) * power_of (1 + eta) (1 - gamma d).

Definition saving_floor (d : device) (eta eta1 : R) : R :=
  1 - envelope_per_work d eta1 / (P_max d + P_idle d * eta).

Definition saving_cap (d : device) (eta eta1 : R) : R :=
  1 - (P_max d + P_idle d * eta1) / envelope_per_work d eta.

Definition saving_cap_tangent (d : device) (eta eta1 : R) : R :=
  1 - (P_max d + P_idle d * eta1) / (P_max d + waste d * eta).

Definition limit_paper (d : device) : R := P_idle d / waste d.

(** ** Two runs of the same work *)

Definition pair_of_runs (r0 r1 : run) (W : R) : Prop :=
  loaded r0 /\ loaded r1 /\ work r0 = W /\ work r1 = W /\ 0 < W.

Definition saving (d : device) (r0 r1 : run) : R := 1 - energy d 0 r1 / energy d 0 r0.

Lemma waste_at_least_idle : forall d, valid d -> P_idle d <= waste d <= P_max d.
Proof. intros d ([P Q] & M & G). unfold waste. nra. Qed.

Lemma usage_without_overhead : forall r, loaded r ->
  busy 0 r = work r /\ idle 0 r = imbalances r /\ 0 <= work r /\ 0 <= imbalances r.
Proof.
  intros r L. destruct (usage_with_overhead 0 r L) as [B I].
  destruct (busy_idle_nonnegative 0 r (Rle_refl 0) L). lra.
Qed.

Lemma ratio_nonnegative : forall x w, 0 <= x -> 0 < w -> 0 <= x / w.
Proof. intros. unfold Rdiv. apply Rmult_le_pos; [lra|]. left. now apply Rinv_0_lt_compat. Qed.

Lemma envelope_by_work : forall d W I, valid d -> 0 < W -> 0 <= I ->
  envelope d W I = W * envelope_per_work d (I / W).
Proof.
  intros d W I ([P Q] & M & G) w i. unfold envelope, envelope_per_work.
  pose proof (ratio_nonnegative I W i w) as E. set (eta := I / W) in *.
  assert (A : W + I = W * (1 + eta)) by (unfold eta; field; lra).
  assert (B : 1 - I / (W + I) = / (1 + eta)).
  { rewrite A. replace I with (W * eta) by (unfold eta; field; lra). field. lra. }
  rewrite B, A. rewrite (power_of_positive (/ (1 + eta))) by (apply Rinv_0_lt_compat; lra).
  rewrite (power_of_positive (1 + eta)) by lra. unfold Rminus at 2.
  replace (1 - gamma d) with (1 + - gamma d) by ring.
  rewrite Rpower_plus, Rpower_1 by lra.
  replace (Rpower (/ (1 + eta)) (gamma d)) with (Rpower (1 + eta) (- gamma d)); [ring|].
  unfold Rpower. rewrite ln_Rinv by lra. f_equal. ring.
Qed.

(** What is known of the two energies, in units of work. *)
Lemma energies : forall d r0 r1 W, valid d -> pair_of_runs r0 r1 W ->
  exists e0 e1, energy d 0 r0 = W * e0 /\ energy d 0 r1 = W * e1 /\
    let eta := imbalances r0 / W in let eta1 := imbalances r1 / W in
    0 <= eta /\ 0 <= eta1 /\
    P_max d + P_idle d * eta <= e0 <= envelope_per_work d eta /\
    envelope_per_work d eta <= P_max d + waste d * eta /\
    P_max d + P_idle d * eta1 <= e1 <= envelope_per_work d eta1 /\
    envelope_per_work d eta1 <= P_max d + waste d * eta1.
Proof.
  intros d r0 r1 W V (L0 & L1 & W0 & W1 & w).
  exists (energy d 0 r0 / W), (energy d 0 r1 / W).
  split; [field; lra|]. split; [field; lra|].
  assert (X : forall r, loaded r -> work r = W ->
    0 <= imbalances r / W /\
    P_max d + P_idle d * (imbalances r / W) <= energy d 0 r / W
      <= envelope_per_work d (imbalances r / W) /\
    envelope_per_work d (imbalances r / W) <= P_max d + waste d * (imbalances r / W)).
  { intros r L E. destruct (usage_without_overhead r L) as (B & I & _ & N). rewrite E in B.
    destruct (energy_sandwich d 0 r V (Rle_refl 0) L) as [[F _] _].
    assert (T : 0 < total 0 r) by (unfold total; lra).
    pose proof (energy_below_envelope d 0 r V (Rle_refl 0) L T) as U.
    pose proof (envelope_below_tangent d W (imbalances r) V) as K.
    rewrite B, I in *. rewrite envelope_by_work in U, K by assumption.
    unfold energy_floor, energy_tangent in *.
    assert (Y : forall x y, W * x <= W * y -> x <= y).
    { intros x y H. now apply Rmult_le_reg_l with W. }
    split; [now apply ratio_nonnegative|].
    set (eta := imbalances r / W) in *.
    assert (J : imbalances r = W * eta) by (unfold eta; field; lra).
    assert (Z : energy d 0 r = W * (energy d 0 r / W)) by (field; lra).
    split; [split|]; apply Y.
    - rewrite <- Z. rewrite J in F. lra.
    - rewrite <- Z. exact U.
    - rewrite J in K. eapply Rle_trans; [apply K|]; [lra|rewrite <- J; lra|rewrite <- J; lra|lra]. }
  destruct (X r0 L0 W0) as (A & B & C). destruct (X r1 L1 W1) as (A' & B' & C'). simpl. tauto.
Qed.

Lemma saving_by_work : forall d r0 r1 W e0 e1, 0 < W -> 0 < e0 ->
  energy d 0 r0 = W * e0 -> energy d 0 r1 = W * e1 -> saving d r0 r1 = 1 - e1 / e0.
Proof. intros. unfold saving. rewrite H1, H2. field. lra. Qed.

(** [1 - x / y] falls in [x] and rises in [y]. *)
Lemma quotient_bounds : forall x y z w, 0 <= x <= z -> 0 < w <= y -> x / y <= z / w.
Proof.
  intros x y z w X Y. apply Rle_trans with (z / y).
  - unfold Rdiv. apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; lra|lra].
  - unfold Rdiv. apply Rmult_le_compat_l; [lra|]. apply Rinv_le_contravar; lra.
Qed.

Lemma forms_agree : forall d I0 I1 W, valid d -> 0 < W -> 0 < I0 -> 0 < I1 ->
  saving_paper d (I0 / W) (I1 / W) = paper_form d (I0 / W) (I0 / I1) /\
  saving_sharp d (I0 / W) (I1 / W) = sharp_form d (I0 / W) (I0 / I1).
Proof.
  intros d I0 I1 W V w i0 i1. pose proof (waste_at_least_idle d V). destruct V as ([P Q] & M & G).
  unfold saving_paper, paper_form, saving_sharp, sharp_form.
  assert (0 < P_max d * W) by now apply Rmult_lt_0_compat.
  split; field; repeat split; try lra; nra.
Qed.

(** ** [energy.saving-paper] *)

(** The paper-shaped floor, wherever it is not negative: [alpha >= D / P_idle], which is 1.9 for
    100/400 W and gamma 0.7. *)
Theorem energy_saving_paper :
  (forall d r0 r1 W, valid d -> pair_of_runs r0 r1 W ->
     let eta := imbalances r0 / W in let eta1 := imbalances r1 / W in
     waste d * eta1 <= P_idle d * eta -> saving_paper d eta eta1 <= saving d r0 r1) /\
  (forall d r0 r1 W, valid d -> pair_of_runs r0 r1 W ->
     0 < P_idle d -> 0 < imbalances r0 -> 0 < imbalances r1 ->
     let eta := imbalances r0 / W in let alpha := imbalances r0 / imbalances r1 in
     waste d / P_idle d <= alpha -> paper_form d eta alpha <= saving d r0 r1) /\
  waste a100 / P_idle a100 = 19 / 10.
Proof.
  assert (X : forall d r0 r1 W, valid d -> pair_of_runs r0 r1 W ->
     let eta := imbalances r0 / W in let eta1 := imbalances r1 / W in
     waste d * eta1 <= P_idle d * eta -> saving_paper d eta eta1 <= saving d r0 r1).
  { intros d r0 r1 W V R. destruct (energies d r0 r1 W V R) as (e0 & e1 & E0 & E1 & H).
    simpl in *. destruct H as (N0 & N1 & [A B] & C & [A' B'] & C'). intros T.
    set (eta := imbalances r0 / W) in *. set (eta1 := imbalances r1 / W) in *.
    pose proof (waste_at_least_idle d V). destruct V as ([P Q] & M & G).
    destruct R as (_ & _ & _ & _ & w).
    assert (0 <= P_idle d * eta) by now apply Rmult_le_pos.
    assert (D0 : 0 < e0) by lra. rewrite (saving_by_work d r0 r1 W e0 e1) by assumption.
    unfold saving_paper. replace (1 - e1 / e0) with ((e0 - e1) / e0) by (field; lra).
    apply quotient_bounds; lra. }
  split; [exact X|]. split.
  - intros d r0 r1 W V R P i0 i1. simpl. intros T. pose proof R as (_ & _ & _ & _ & w).
    destruct (forms_agree d _ _ _ V w i0 i1) as [<- _]. apply X; [exact V|exact R|].
    apply (Rmult_le_compat_r (P_idle d * imbalances r1 / W)) in T.
    + replace (waste d / P_idle d * (P_idle d * imbalances r1 / W))
        with (waste d * (imbalances r1 / W)) in T by (field; lra).
      replace (imbalances r0 / imbalances r1 * (P_idle d * imbalances r1 / W))
        with (P_idle d * (imbalances r0 / W)) in T by (field; lra). exact T.
    + left. apply Rdiv_lt_0_compat; [now apply Rmult_lt_0_compat|exact w].
  - unfold waste, a100. simpl. lra.
Qed.

(** ** [energy.saving-sharp] *)

(** The sharp floor, for every [alpha > 0]. *)
Theorem energy_saving_sharp :
  (forall d r0 r1 W, valid d -> pair_of_runs r0 r1 W ->
     saving_sharp d (imbalances r0 / W) (imbalances r1 / W) <= saving d r0 r1) /\
  (forall d r0 r1 W, valid d -> pair_of_runs r0 r1 W ->
     0 < imbalances r0 -> 0 < imbalances r1 ->
     sharp_form d (imbalances r0 / W) (imbalances r0 / imbalances r1) <= saving d r0 r1).
Proof.
  assert (X : forall d r0 r1 W, valid d -> pair_of_runs r0 r1 W ->
     saving_sharp d (imbalances r0 / W) (imbalances r1 / W) <= saving d r0 r1).
  { intros d r0 r1 W V R. destruct (energies d r0 r1 W V R) as (e0 & e1 & E0 & E1 & H).
    simpl in *. destruct H as (N0 & N1 & [A B] & C & [A' B'] & C').
    set (eta := imbalances r0 / W) in *. set (eta1 := imbalances r1 / W) in *.
    destruct V as ([P Q] & M & G). destruct R as (_ & _ & _ & _ & w).
    assert (0 <= P_idle d * eta) by now apply Rmult_le_pos.
    assert (0 <= P_idle d * eta1) by now apply Rmult_le_pos.
    assert (D0 : 0 < e0) by lra. rewrite (saving_by_work d r0 r1 W e0 e1) by assumption.
    unfold saving_sharp.
    replace ((P_idle d * eta - waste d * eta1) / (P_max d + P_idle d * eta))
      with (1 - (P_max d + waste d * eta1) / (P_max d + P_idle d * eta)) by (field; lra).
    assert (e1 / e0 <= (P_max d + waste d * eta1) / (P_max d + P_idle d * eta)); [|lra].
    apply quotient_bounds; lra. }
  split; [exact X|]. intros d r0 r1 W V R i0 i1. pose proof R as (_ & _ & _ & _ & w).
  destruct (forms_agree d _ _ _ V w i0 i1) as [_ <-]. now apply X.
Qed.

(** ** [energy.sharp-dominates] *)

(** The sharp floor is at least the paper's where that says anything, and above it if something
    idles, [gamma < 1] and power is not constant; below, both are negative in the other order. *)
Theorem energy_sharp_dominates : forall d eta eta1, valid d -> 0 <= eta -> 0 <= eta1 ->
  (waste d * eta1 <= P_idle d * eta -> saving_paper d eta eta1 <= saving_sharp d eta eta1) /\
  (waste d * eta1 < P_idle d * eta -> 0 < eta -> gamma d < 1 -> P_idle d < P_max d ->
     saving_paper d eta eta1 < saving_sharp d eta eta1) /\
  (P_idle d * eta < waste d * eta1 ->
     saving_sharp d eta eta1 <= saving_paper d eta eta1 /\ saving_paper d eta eta1 < 0).
Proof.
  intros d eta eta1 V E E1. pose proof (waste_at_least_idle d V) as [D _].
  destruct V as ([P Q] & M & G). unfold saving_paper, saving_sharp.
  assert (A : 0 <= P_idle d * eta) by now apply Rmult_le_pos.
  assert (B : P_idle d * eta <= waste d * eta) by (apply Rmult_le_compat_r; lra).
  assert (I : / (P_max d + waste d * eta) <= / (P_max d + P_idle d * eta))
    by (apply Rinv_le_contravar; lra).
  assert (J : 0 < / (P_max d + waste d * eta)) by (apply Rinv_0_lt_compat; lra).
  unfold Rdiv. split; [|split].
  - intros H. apply Rmult_le_compat_l; lra.
  - intros H e g dp. apply Rmult_lt_compat_l; [lra|]. apply Rinv_lt_contravar.
    + apply Rmult_lt_0_compat; lra.
    + assert (P_idle d * eta < waste d * eta); [|lra]. apply Rmult_lt_compat_r; [exact e|].
      unfold waste. assert (0 < (1 - gamma d) * (P_max d - P_idle d)); [|lra].
      apply Rmult_lt_0_compat; lra.
  - intros H. split; nra.
Qed.

(** ** [energy.limit-paper] *)

(** The paper's form stays below [P_idle / D], at perfect balance too if [P_idle > 0], rises with
    [eta] and [alpha] where it is not negative, and tends to [P_idle / D]: 10/19 for 100/400 W and
    gamma 0.7. *)
Theorem energy_limit_paper :
  (forall d eta alpha, valid d -> 0 < waste d -> 0 < eta -> 0 < alpha ->
     paper_form d eta alpha < limit_paper d) /\
  (forall d eta alpha eta' alpha', valid d -> 0 < waste d -> 0 < eta <= eta' -> 0 < alpha <= alpha' ->
     0 <= paper_form d eta alpha -> paper_form d eta alpha <= paper_form d eta' alpha') /\
  (forall d eps, valid d -> 0 < waste d -> 0 < eps ->
     exists N, forall eta alpha, N < eta -> N < alpha ->
     limit_paper d - eps < paper_form d eta alpha) /\
  (forall d eta eta1, valid d -> 0 < P_idle d -> 0 <= eta -> 0 <= eta1 ->
     saving_paper d eta eta1 < limit_paper d) /\
  limit_paper a100 = 10 / 19.
Proof.
  split; [|split; [|split; [|split]]].
  - intros d eta alpha V D e a. destruct V as ([P Q] & M & G). unfold paper_form, limit_paper.
    assert (0 < P_max d / eta) by now apply Rdiv_lt_0_compat.
    assert (0 < waste d / alpha) by now apply Rdiv_lt_0_compat.
    apply (Rmult_lt_reg_r ((P_max d / eta + waste d) * waste d)).
    { apply Rmult_lt_0_compat; lra. }
    replace ((P_idle d - waste d / alpha) / (P_max d / eta + waste d)
             * ((P_max d / eta + waste d) * waste d))
      with ((P_idle d - waste d / alpha) * waste d) by (field; repeat split; try lra; nra).
    replace (P_idle d / waste d * ((P_max d / eta + waste d) * waste d))
      with (P_idle d * (P_max d / eta + waste d)) by (field; lra). nra.
  - intros d eta alpha eta' alpha' V D e a. destruct V as ([P Q] & M & G). unfold paper_form.
    assert (K : forall x, 0 < x -> 0 < P_max d / x + waste d).
    { intros x X. assert (0 < P_max d / x) by now apply Rdiv_lt_0_compat. lra. }
    pose proof (K eta ltac:(lra)) as K0. pose proof (K eta' ltac:(lra)) as K1.
    intros N. assert (T : 0 <= P_idle d - waste d / alpha).
    { apply Rnot_lt_le. intros H. apply (Rle_not_lt _ _ N). unfold Rdiv at 1.
      assert (0 < / (P_max d / eta + waste d)) by now apply Rinv_0_lt_compat. nra. }
    apply quotient_bounds.
    + split; [exact T|]. unfold Rdiv. assert (/ alpha' <= / alpha) by (apply Rinv_le_contravar; lra).
      nra.
    + split; [exact K1|]. unfold Rdiv. assert (/ eta' <= / eta) by (apply Rinv_le_contravar; lra).
      nra.
  - intros d eps V D e. destruct V as ([P Q] & M & G).
    exists ((P_max d * P_idle d / waste d + waste d + 1) / (waste d * eps)).
    intros eta alpha He Ha.
    set (N := (P_max d * P_idle d / waste d + waste d + 1) / (waste d * eps)) in *.
    assert (De : 0 < waste d * eps) by now apply Rmult_lt_0_compat.
    assert (Z : 0 <= P_max d * P_idle d / waste d).
    { apply ratio_nonnegative; [nra|exact D]. }
    assert (N0 : 0 < N) by (apply Rdiv_lt_0_compat; lra).
    assert (NE : N * (waste d * eps) = P_max d * P_idle d / waste d + waste d + 1)
      by (unfold N; field; lra).
    assert (ie : / eta < / N) by (apply Rinv_lt_contravar; [apply Rmult_lt_0_compat; lra|lra]).
    assert (ia : / alpha < / N) by (apply Rinv_lt_contravar; [apply Rmult_lt_0_compat; lra|lra]).
    assert (pe : 0 < / eta) by (apply Rinv_0_lt_compat; lra).
    assert (pa : 0 < / alpha) by (apply Rinv_0_lt_compat; lra).
    unfold limit_paper, paper_form.
    set (q := P_max d / eta + waste d).
    assert (q0 : waste d < q) by (unfold q, Rdiv; nra).
    assert (E : P_idle d / waste d - (P_idle d - waste d / alpha) / q
                = (P_max d * P_idle d / waste d * / eta + waste d * / alpha) / q).
    { unfold q. field. repeat split; try lra. unfold q, Rdiv in q0.
      assert (0 < eta) by lra. assert (0 < P_max d + waste d * eta) by nra. lra. }
    assert (B : (P_max d * P_idle d / waste d * / eta + waste d * / alpha) / q < eps); [|lra].
    apply (Rmult_lt_reg_r q); [lra|]. unfold Rdiv at 1. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
    apply Rle_lt_trans with ((P_max d * P_idle d / waste d + waste d) * / N).
    + rewrite Rmult_plus_distr_r. apply Rplus_le_compat; apply Rmult_le_compat_l; lra.
    + apply Rlt_trans with (waste d * eps); [|nra].
      apply (Rmult_lt_reg_r N); [exact N0|]. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra. lra.
  - intros d eta eta1 V p e e1. pose proof (waste_at_least_idle d V) as [D _].
    destruct V as ([P Q] & M & G). unfold saving_paper, limit_paper.
    assert (A : 0 <= waste d * eta) by (apply Rmult_le_pos; lra).
    assert (B : 0 <= waste d * eta1) by (apply Rmult_le_pos; lra).
    apply (Rmult_lt_reg_r ((P_max d + waste d * eta) * waste d)).
    { apply Rmult_lt_0_compat; lra. }
    replace ((P_idle d * eta - waste d * eta1) / (P_max d + waste d * eta)
             * ((P_max d + waste d * eta) * waste d))
      with ((P_idle d * eta - waste d * eta1) * waste d) by (field; lra).
    replace (P_idle d / waste d * ((P_max d + waste d * eta) * waste d))
      with (P_idle d * (P_max d + waste d * eta)) by (field; lra).
    assert (0 < P_idle d * P_max d) by (apply Rmult_lt_0_compat; lra).
    assert (0 <= waste d * eta1 * waste d) by (apply Rmult_le_pos; lra). lra.
  - unfold limit_paper, waste, a100. simpl. lra.
Qed.

(** ** [energy.limit-sharp] *)

(** At perfect balance the sharp floor tends to 1; it passes the paper's limit at
    [eta = P_max / (D - P_idle)], 40/9 for 100/400 W and gamma 0.7. *)
Theorem energy_limit_sharp :
  (forall d eps, valid d -> 0 < P_idle d -> 0 < eps -> exists N, forall eta, N < eta ->
     1 - eps < saving_sharp d eta 0 < 1) /\
  (forall d eta, valid d -> 0 < P_idle d -> P_idle d < waste d -> 0 <= eta ->
     (limit_paper d < saving_sharp d eta 0 <-> P_max d / (waste d - P_idle d) < eta)) /\
  P_max a100 / (waste a100 - P_idle a100) = 40 / 9.
Proof.
  split; [|split].
  - intros d eps ([P Q] & M & G) p e. exists (P_max d / (P_idle d * eps)). intros eta H.
    assert (0 < P_idle d * eps) by now apply Rmult_lt_0_compat.
    assert (N0 : 0 < P_max d / (P_idle d * eps)) by now apply Rdiv_lt_0_compat.
    apply (Rmult_lt_compat_r (P_idle d * eps)) in H; [|lra].
    unfold Rdiv in H. rewrite Rmult_assoc, Rinv_l, Rmult_1_r in H by lra.
    assert (B : 0 < P_max d + P_idle d * eta) by nra.
    unfold saving_sharp.
    replace ((P_idle d * eta - waste d * 0) / (P_max d + P_idle d * eta))
      with (1 - P_max d / (P_max d + P_idle d * eta)) by (field; lra).
    assert (0 < P_max d / (P_max d + P_idle d * eta)) by now apply Rdiv_lt_0_compat.
    assert (P_max d / (P_max d + P_idle d * eta) < eps); [|lra].
    apply (Rmult_lt_reg_r (P_max d + P_idle d * eta)); [exact B|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra. nra.
  - intros d eta ([P Q] & M & G) p D e. unfold limit_paper, saving_sharp.
    set (k := waste d - P_idle d). assert (k0 : 0 < k) by (unfold k; lra).
    assert (B : 0 < P_max d + P_idle d * eta) by nra.
    assert (E : (P_idle d * eta - waste d * 0) / (P_max d + P_idle d * eta) - P_idle d / waste d
      = P_idle d * k * (eta - P_max d / k) / ((P_max d + P_idle d * eta) * waste d)).
    { unfold k. field. repeat split; lra. }
    assert (C : 0 < P_idle d * k / ((P_max d + P_idle d * eta) * waste d)).
    { apply Rdiv_lt_0_compat; apply Rmult_lt_0_compat; lra. }
    replace (P_idle d * k * (eta - P_max d / k) / ((P_max d + P_idle d * eta) * waste d))
      with (P_idle d * k / ((P_max d + P_idle d * eta) * waste d) * (eta - P_max d / k)) in E
      by (field; repeat split; lra).
    split; intros H.
    + apply Rnot_le_lt. intros L. nra.
    + nra.
  - unfold waste, a100. simpl. lra.
Qed.

(** ** [energy.saving-envelope] *)

Lemma saving_between : forall d r0 r1 W, valid d -> pair_of_runs r0 r1 W ->
  let eta := imbalances r0 / W in let eta1 := imbalances r1 / W in
  saving_floor d eta eta1 <= saving d r0 r1 <= saving_cap d eta eta1.
Proof.
  intros d r0 r1 W V R. destruct (energies d r0 r1 W V R) as (e0 & e1 & E0 & E1 & H).
  simpl in *. destruct H as (N0 & N1 & [A B] & C & [A' B'] & C').
  set (eta := imbalances r0 / W) in *. set (eta1 := imbalances r1 / W) in *.
  destruct V as ([P Q] & M & G). destruct R as (_ & _ & _ & _ & w).
  assert (0 <= P_idle d * eta) by now apply Rmult_le_pos.
  assert (0 <= P_idle d * eta1) by now apply Rmult_le_pos.
  assert (D0 : 0 < e0) by lra. rewrite (saving_by_work d r0 r1 W e0 e1) by assumption.
  unfold saving_floor, saving_cap. split.
  - assert (e1 / e0 <= envelope_per_work d eta1 / (P_max d + P_idle d * eta)); [|lra].
    apply quotient_bounds; lra.
  - assert ((P_max d + P_idle d * eta1) / envelope_per_work d eta <= e1 / e0); [|lra].
    apply quotient_bounds; lra.
Qed.

(** [n + 1] workers, work [n], imbalance [n eta]: one worker works alone, then all work alike. *)
Definition alone_then_alike (n : nat) (eta : R) : run :=
  [eta :: repeat 0 n; repeat ((INR n - eta) / (INR n + 1)) (S n)].

(** The same work and imbalance in one step with all but one worker at equal loads. *)
Definition all_but_one (n : nat) (eta : R) : run :=
  let s := INR n * (1 + eta) / (INR n + 1) in
  [s :: repeat (s * ((INR n - eta) / (INR n * (1 + eta)))) n].

Lemma sum_repeat : forall x n, sum (repeat x n) = INR n * x.
Proof.
  induction n; [unfold sum; simpl; ring|]. rewrite S_INR.
  change (sum (repeat x (S n))) with (x + sum (repeat x n)). rewrite IHn. ring.
Qed.

Lemma top_repeat : forall x y n, 0 <= y <= x -> top (x :: repeat y n) = x.
Proof.
  intros x y n H. simpl. assert (K : top (repeat y n) <= x).
  { induction n; simpl; [lra|]. apply Rmax_lub; lra. }
  fold (top (repeat y n)). now apply Rmax_left.
Qed.

Lemma loaded_repeat : forall x y n, 0 <= y -> 0 <= x -> Forall (fun v => 0 <= v) (x :: repeat y n).
Proof.
  intros. constructor; [lra|]. apply Forall_forall. intros v I. apply repeat_spec in I. lra.
Qed.

Lemma over_repeat : forall (f : R * R -> R) (g : R -> R * R) x n,
  over f (map g (repeat x n)) = INR n * f (g x).
Proof.
  unfold over. induction n; [unfold sum; simpl; ring|]. rewrite S_INR.
  change (sum (map f (map g (repeat x (S n)))))
    with (f (g x) + sum (map f (map g (repeat x n)))). rewrite IHn. ring.
Qed.

Lemma usage_alone : forall d n eta, valid d -> 0 <= eta <= INR n -> 0 < INR n ->
  let r := alone_then_alike n eta in
  loaded r /\ work r = INR n /\ imbalances r = INR n * eta /\
  energy d 0 r = INR n * (P_max d + P_idle d * eta).
Proof.
  intros d n eta V E N r. set (y := (INR n - eta) / (INR n + 1)).
  assert (Y : 0 <= y) by (apply ratio_nonnegative; lra).
  assert (L : loaded r).
  { unfold r, alone_then_alike. fold y.
    constructor; [apply loaded_repeat; lra|]. constructor; [|constructor].
    apply (loaded_repeat y y n); lra. }
  assert (W : work r = INR n).
  { unfold work, r, alone_then_alike. fold y. cbn [map].
    change (sum (eta :: repeat 0 n)) with (eta + sum (repeat 0 n)). rewrite !sum_repeat, S_INR.
    unfold sum. cbn [fold_right]. unfold y. field. lra. }
  assert (I : imbalances r = INR n * eta).
  { unfold imbalances, r, alone_then_alike. fold y. cbn [map].
    change (repeat y (S n)) with (y :: repeat y n).
    rewrite (top_repeat eta 0 n), (top_repeat y y n) by lra.
    change (sum (eta :: repeat 0 n)) with (eta + sum (repeat 0 n)).
    change (sum (y :: repeat y n)) with (y + sum (repeat y n)).
    cbn [length]. rewrite !sum_repeat, !repeat_length, !S_INR. unfold sum. cbn [fold_right]. ring. }
  split; [exact L|]. split; [exact W|]. split; [exact I|].
  destruct (usage_without_overhead r L) as (B & D & _).
  destruct (energy_sandwich d 0 r V (Rle_refl 0) L) as (_ & A & _).
  rewrite A; [rewrite B, D, W, I; unfold energy_floor; ring|].
  left. unfold r, alone_then_alike. fold y. unfold cells. simpl flat_map.
  assert (share : forall v m, v = 0 \/ v = m -> v / m = 0 \/ v / m = 1).
  { intros v m [->| ->]; [left; unfold Rdiv; ring|].
    destruct (Req_dec m 0) as [->|Z]; [left; unfold Rdiv; ring|right; field; exact Z]. }
  change (repeat y (S n)) with (y :: repeat y n).
  fold (top (repeat 0 n)). fold (top (repeat y n)).
  change (Rmax eta (top (repeat 0 n))) with (top (eta :: repeat 0 n)).
  change (Rmax y (top (repeat y n))) with (top (y :: repeat y n)).
  rewrite (top_repeat eta 0 n), (top_repeat y y n) by lra.
  constructor; [apply share; now right|]. apply Forall_app. split.
  - apply Forall_map, Forall_forall. intros v J. apply repeat_spec in J. simpl. apply share. now left.
  - constructor; [apply share; now right|]. rewrite app_nil_r.
    apply Forall_map, Forall_forall. intros v J. apply repeat_spec in J. simpl. apply share. now right.
Qed.

(** The envelope is missed by at most [K / (n + 1)] per unit of work. *)
Definition miss (d : device) (eta : R) : R :=
  (1 + eta) * (P_idle d + (P_max d - P_idle d) * (1 + eta)).

Lemma usage_all_but_one : forall d n eta, valid d -> 0 <= eta <= INR n -> 0 < INR n ->
  let r := all_but_one n eta in
  loaded r /\ work r = INR n /\ imbalances r = INR n * eta /\
  INR n * (envelope_per_work d eta - miss d eta / (INR n + 1)) <= energy d 0 r.
Proof.
  intros d n eta V E N r. pose proof V as ([P Q] & M & G).
  set (s := INR n * (1 + eta) / (INR n + 1)). set (v := (INR n - eta) / (INR n * (1 + eta))).
  assert (S0 : 0 < s) by (unfold s; apply Rdiv_lt_0_compat; nra).
  assert (V0 : 0 <= v) by (unfold v; apply ratio_nonnegative; nra).
  assert (V1 : v <= 1).
  { unfold v. apply (Rmult_le_reg_r (INR n * (1 + eta))); [nra|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l by nra. nra. }
  assert (SV : 0 <= s * v <= s) by nra.
  assert (L : loaded r).
  { unfold r, all_but_one. fold s v. constructor; [|constructor]. apply loaded_repeat; lra. }
  assert (W : work r = INR n).
  { unfold work, r, all_but_one. fold s v. cbn [map].
    change (sum (s :: repeat (s * v) n)) with (s + sum (repeat (s * v) n)). rewrite sum_repeat.
    unfold sum. cbn [fold_right]. unfold s, v. field. lra. }
  assert (I : imbalances r = INR n * eta).
  { unfold imbalances, r, all_but_one. fold s v. cbn [map]. rewrite top_repeat by exact SV.
    change (sum (s :: repeat (s * v) n)) with (s + sum (repeat (s * v) n)).
    cbn [length]. rewrite sum_repeat, repeat_length, S_INR. unfold sum. cbn [fold_right].
    unfold s, v. field. lra. }
  split; [exact L|]. split; [exact W|]. split; [exact I|].
  assert (F : energy d 0 r = s * (P_max d + INR n * (P_idle d + dynamic d * power_of v (gamma d)))).
  { unfold energy, cells, r, all_but_one. fold s v. simpl flat_map. rewrite app_nil_r.
    fold (top (repeat (s * v) n)).
    change (Rmax s (top (repeat (s * v) n))) with (top (s :: repeat (s * v) n)).
    rewrite top_repeat by exact SV. rewrite over_cons. cbn [fst snd].
    replace (s / s) with 1 by (field; lra).
    assert (X : over (fun x => fst x * power d (snd x))
      (map (fun load => (0 + s, load / s)) (repeat (s * v) n)) = INR n * (s * power d v)).
    { rewrite (over_repeat _ (fun load => (0 + s, load / s))). cbn [fst snd].
      replace (s * v / s) with v by (field; lra). ring. }
    rewrite X. unfold power. rewrite power_of_1. unfold dynamic. ring. }
  set (c := / (1 + eta)). assert (C0 : 0 < c) by (unfold c; apply Rinv_0_lt_compat; lra).
  set (pc := power_of c (gamma d)).
  assert (C1 : c <= 1) by (unfold c; rewrite <- Rinv_1; apply Rinv_le_contravar; lra).
  assert (pc1 : 0 <= pc <= 1).
  { split; [apply power_of_nonnegative|]. unfold pc.
    pose proof (below_tangent c (gamma d) ltac:(lra) G). nra. }
  assert (Env : envelope_per_work d eta = (1 + eta) * (P_idle d + dynamic d * pc)).
  { pose proof (envelope_by_work d 1 eta V Rlt_0_1 (proj1 E)) as H.
    replace (eta / 1) with eta in H by field. rewrite Rmult_1_l in H. rewrite <- H.
    unfold envelope, dynamic, pc. replace (1 - eta / (1 + eta)) with c; [reflexivity|].
    unfold c. field. lra. }
  set (u := 1 - eta / INR n).
  assert (U : 0 <= u <= 1).
  { unfold u. assert (A : eta / INR n <= 1).
    { apply (Rmult_le_reg_r (INR n)); [exact N|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l; lra. }
    pose proof (ratio_nonnegative eta (INR n) (proj1 E) N). lra. }
  assert (K : pc * u <= power_of v (gamma d)).
  { replace v with (c * u) by (unfold v, c, u; field; lra).
    rewrite power_of_mult by lra. fold pc. apply Rmult_le_compat_l; [lra|].
    now apply above_identity. }
  assert (NU : INR n * u = INR n - eta) by (unfold u; field; lra).
  rewrite F, Env. unfold miss. fold (dynamic d).
  replace (INR n * ((1 + eta) * (P_idle d + dynamic d * pc)
            - (1 + eta) * (P_idle d + dynamic d * (1 + eta)) / (INR n + 1)))
    with (s * ((INR n + 1) * (P_idle d + dynamic d * pc) - (P_idle d + dynamic d * (1 + eta))))
    by (unfold s; field; lra).
  apply Rmult_le_compat_l; [lra|].
  assert (D0 : 0 <= dynamic d) by (unfold dynamic; lra).
  assert (A : pc * (INR n - eta) <= INR n * power_of v (gamma d)).
  { rewrite <- NU. replace (pc * (INR n * u)) with (INR n * (pc * u)) by ring.
    apply Rmult_le_compat_l; lra. }
  apply (Rmult_le_compat_l (dynamic d)) in A; [|exact D0].
  assert (B : dynamic d * (pc * (1 + eta)) <= dynamic d * (1 + eta)).
  { apply Rmult_le_compat_l; [exact D0|]. nra. }
  lra.
Qed.

(** Best floor and best cap from [W], [I0] and [I1]: every saving lies between them, and for every
    [eta] and [eta1] some pairs of runs of [n + 1] workers come as close as one likes to either. *)
Theorem energy_saving_envelope :
  (forall d r0 r1 W, valid d -> pair_of_runs r0 r1 W ->
     let eta := imbalances r0 / W in let eta1 := imbalances r1 / W in
     saving_floor d eta eta1 <= saving d r0 r1 <= saving_cap d eta eta1) /\
  (forall d eta eta1 eps, valid d -> 0 <= eta -> 0 <= eta1 -> 0 < eps ->
     exists N : nat, forall n : nat, (N <= n)%nat ->
       let some_pair near := exists r0 r1, pair_of_runs r0 r1 (INR n) /\
         imbalances r0 / INR n = eta /\ imbalances r1 / INR n = eta1 /\ near (saving d r0 r1) in
       some_pair (fun s => saving_cap d eta eta1 - eps < s) /\
       some_pair (fun s => s < saving_floor d eta eta1 + eps)).
Proof.
  split; [exact saving_between|]. intros d eta eta1 eps V E0 E1 e.
  pose proof V as ([P Q] & M & G).
  set (top_energy := P_max d + P_idle d * eta1).
  set (k := miss d eta + miss d eta1).
  assert (mi : forall x, 0 <= x -> 0 <= miss d x).
  { intros x X. unfold miss. apply Rmult_le_pos; [lra|].
    assert (0 <= (P_max d - P_idle d) * (1 + x)) by (apply Rmult_le_pos; lra). lra. }
  pose proof (mi eta E0). pose proof (mi eta1 E1).
  assert (T0 : 0 < top_energy) by (unfold top_energy; nra).
  destruct (unbounded (eta + eta1 + 1 + k / (P_max d * eps)
    + k * top_energy / (P_max d * P_max d * eps))) as [N HN].
  exists N. intros n Hn. apply le_INR in Hn.
  assert (Pe : 0 < P_max d * eps) by now apply Rmult_lt_0_compat.
  assert (PPe : 0 < P_max d * P_max d * eps).
  { apply Rmult_lt_0_compat; [|exact e]. now apply Rmult_lt_0_compat. }
  pose proof (ratio_nonnegative k _ ltac:(unfold k; lra) Pe) as R1.
  assert (kt : 0 <= k * top_energy) by (apply Rmult_le_pos; unfold k; lra).
  pose proof (ratio_nonnegative _ _ kt PPe) as R2.
  set (b := INR n) in *. assert (b0 : 0 < b) by lra.
  assert (K1 : k / (b + 1) < P_max d * eps).
  { apply (Rmult_lt_reg_r (b + 1)); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra.
    assert (H1 : k / (P_max d * eps) < b + 1) by lra.
    apply (Rmult_lt_compat_r (P_max d * eps)) in H1; [|exact Pe].
    unfold Rdiv in H1. rewrite Rmult_assoc, Rinv_l in H1 by lra. lra. }
  assert (K2 : k / (b + 1) * top_energy < P_max d * P_max d * eps).
  { apply (Rmult_lt_reg_r (b + 1)); [lra|].
    replace (k / (b + 1) * top_energy * (b + 1)) with (k * top_energy) by (field; lra).
    assert (H1 : k * top_energy / (P_max d * P_max d * eps) < b + 1) by lra.
    apply (Rmult_lt_compat_r (P_max d * P_max d * eps)) in H1; [|exact PPe].
    unfold Rdiv in H1. rewrite Rmult_assoc, Rinv_l in H1 by lra. lra. }
  assert (part : forall x, 0 <= x -> miss d x <= k -> miss d x / (b + 1) <= k / (b + 1)).
  { intros x X L. unfold Rdiv. apply Rmult_le_compat_r; [|exact L].
    left. apply Rinv_0_lt_compat. lra. }
  destruct (usage_alone d n eta V ltac:(fold b; lra) b0) as (A1 & A2 & A3 & A4).
  destruct (usage_alone d n eta1 V ltac:(fold b; lra) b0) as (B1 & B2 & B3 & B4).
  destruct (usage_all_but_one d n eta V ltac:(fold b; lra) b0) as (C1 & C2 & C3 & C4).
  destruct (usage_all_but_one d n eta1 V ltac:(fold b; lra) b0) as (D1 & D2 & D3 & D4).
  fold b in A2, A3, A4, B2, B3, B4, C2, C3, C4, D2, D3, D4.
  assert (ratio : forall x, b * x / b = x) by (intros; field; lra).
  simpl. split.
  - exists (all_but_one n eta), (alone_then_alike n eta1).
    assert (R : pair_of_runs (all_but_one n eta) (alone_then_alike n eta1) b).
    { repeat split; assumption. }
    split; [exact R|]. rewrite C3, B3, !ratio. split; [reflexivity|]. split; [reflexivity|].
    destruct (energies d _ _ b V R) as (e0 & e1 & F0 & F1 & X). simpl in X.
    rewrite C3, B3, !ratio in X. destruct X as (_ & _ & [Y0 Y1] & Y2 & [Z0 Z1] & _).
    assert (e0p : P_max d <= e0) by nra.
    rewrite (saving_by_work d _ _ b e0 e1) by (auto; lra).
    assert (W1 : e1 = top_energy).
    { apply (Rmult_eq_reg_l b); [|lra]. rewrite <- F1, B4. reflexivity. }
    assert (W0 : envelope_per_work d eta - k / (b + 1) <= e0).
    { apply (Rmult_le_reg_l b); [exact b0|]. rewrite <- F0. eapply Rle_trans; [|exact C4].
      apply Rmult_le_compat_l; [lra|]. pose proof (part eta E0 ltac:(unfold k; lra)). lra. }
    unfold saving_cap. fold top_energy. rewrite W1.
    assert (H1 : top_energy / e0 - top_energy / envelope_per_work d eta < eps); [|lra].
    replace (top_energy / e0 - top_energy / envelope_per_work d eta)
      with (top_energy * (envelope_per_work d eta - e0) / (e0 * envelope_per_work d eta))
      by (field; lra).
    assert (big : P_max d * P_max d <= e0 * envelope_per_work d eta).
    { apply Rmult_le_compat; lra. }
    assert (PP : 0 < P_max d * P_max d) by now apply Rmult_lt_0_compat.
    apply (Rmult_lt_reg_r (e0 * envelope_per_work d eta)); [lra|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra.
    apply Rle_lt_trans with (k / (b + 1) * top_energy); [rewrite Rmult_1_r; nra|].
    apply Rlt_le_trans with (P_max d * P_max d * eps); [exact K2|]. nra.
  - exists (alone_then_alike n eta), (all_but_one n eta1).
    assert (R : pair_of_runs (alone_then_alike n eta) (all_but_one n eta1) b).
    { repeat split; assumption. }
    split; [exact R|]. rewrite A3, D3, !ratio. split; [reflexivity|]. split; [reflexivity|].
    destruct (energies d _ _ b V R) as (e0 & e1 & F0 & F1 & _).
    assert (W0 : e0 = P_max d + P_idle d * eta).
    { apply (Rmult_eq_reg_l b); [|lra]. now rewrite <- F0, A4. }
    assert (e0p : P_max d <= e0) by (rewrite W0; nra).
    rewrite (saving_by_work d _ _ b e0 e1) by (auto; lra).
    assert (W1 : envelope_per_work d eta1 - k / (b + 1) <= e1).
    { apply (Rmult_le_reg_l b); [exact b0|]. rewrite <- F1. eapply Rle_trans; [|exact D4].
      apply Rmult_le_compat_l; [lra|]. pose proof (part eta1 E1 ltac:(unfold k; lra)). lra. }
    unfold saving_floor. rewrite <- W0.
    assert (H1 : envelope_per_work d eta1 / e0 - e1 / e0 < eps); [|lra].
    replace (envelope_per_work d eta1 / e0 - e1 / e0) with ((envelope_per_work d eta1 - e1) / e0)
      by (field; lra).
    apply (Rmult_lt_reg_r e0); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. nra.
Qed.

(** ** [energy.cap] *)

Lemma power_bracket : 11656 / 10000 < power_of (1 + 2 / 3) (3 / 10) < 116565 / 100000.
Proof.
  rewrite power_of_positive by lra. set (y := Rpower (1 + 2 / 3) (3 / 10)).
  assert (Y : 0 < y) by (unfold y, Rpower; apply exp_pos).
  assert (E : y ^ 10 = (1 + 2 / 3) ^ 3).
  { rewrite <- (Rpower_pow 10 y Y). unfold y. rewrite Rpower_mult.
    replace (3 / 10 * INR 10) with (INR 3) by (simpl; lra). apply Rpower_pow. lra. }
  split; apply Rnot_le_lt; intros H.
  - assert (y ^ 10 <= (11656 / 10000) ^ 10) by (apply pow_incr; lra). rewrite E in H0. lra.
  - assert ((116565 / 100000) ^ 10 <= y ^ 10) by (apply pow_incr; lra). rewrite E in H0. lra.
Qed.

(** At idle share [f = eta / (1 + eta)]: the saving is at most the envelope's cap, which is at most
    the tangent's cap and at most [f]; a residual imbalance lowers each of them.  At [f = 40 %],
    100/400 W and gamma 0.7 the caps are 19/79 and 22.53 %. *)
Theorem energy_cap :
  (forall d r0 r1 W, valid d -> pair_of_runs r0 r1 W ->
     saving d r0 r1 <= saving_cap d (imbalances r0 / W) (imbalances r1 / W)
       <= saving_cap d (imbalances r0 / W) 0) /\
  (forall d eta, valid d -> 0 <= eta ->
     saving_cap d eta 0 <= saving_cap_tangent d eta 0 /\
     saving_cap d eta 0 <= eta / (1 + eta) /\
     saving_cap_tangent d eta 0 = waste d * eta / (P_max d + waste d * eta)) /\
  (forall d eta eta1, valid d -> 0 < P_idle d -> 0 <= eta -> 0 < eta1 ->
     saving_cap d eta eta1 < saving_cap d eta 0 /\
     saving_cap_tangent d eta eta1 < saving_cap_tangent d eta 0 /\
     saving_cap d eta eta1
       <= 1 - (P_max d + P_idle d * eta1) / (P_max d * (1 + eta)) < eta / (1 + eta)) /\
  (2 / 3) / (1 + 2 / 3) = 40 / 100 /\
  saving_cap_tangent a100 (2 / 3) 0 = 19 / 79 /\
  22525 / 100000 < saving_cap a100 (2 / 3) 0 < 22535 / 100000.
Proof.
  assert (U : forall d eta, valid d -> 0 <= eta ->
    P_max d <= envelope_per_work d eta /\
    envelope_per_work d eta <= P_max d + waste d * eta /\
    envelope_per_work d eta <= P_max d * (1 + eta)).
  { intros d eta V E. pose proof V as ([P Q] & M & G).
    pose proof (envelope_by_work d 1 eta V Rlt_0_1 E) as H.
    replace (eta / 1) with eta in H by field. rewrite Rmult_1_l in H.
    pose proof (envelope_below_tangent d 1 eta V ltac:(lra) E ltac:(lra)) as K. rewrite H in K.
    unfold energy_tangent in K. pose proof (waste_at_least_idle d V) as [D D'].
    split; [|split; [lra|nra]].
    unfold envelope_per_work.
    assert (1 <= power_of (1 + eta) (1 - gamma d)); [|nra].
    rewrite power_of_positive by lra. rewrite <- (Rpower_O (1 + eta)) at 1 by lra.
    apply Rle_Rpower; lra. }
  split; [|split; [|split; [|split; [|split]]]].
  - intros d r0 r1 W V R. split; [now apply saving_between|].
    destruct (energies d r0 r1 W V R) as (e0 & e1 & _ & _ & N0 & N1 & _). cbv zeta in *.
    destruct (U d _ V N0) as (A & _). destruct V as ([P Q] & M & G). unfold saving_cap.
    assert ((P_max d + P_idle d * 0) / envelope_per_work d (imbalances r0 / W)
      <= (P_max d + P_idle d * (imbalances r1 / W)) / envelope_per_work d (imbalances r0 / W));
      [|lra].
    pose proof (Rmult_le_pos _ _ P N1). apply quotient_bounds; lra.
  - intros d eta V E. destruct (U d eta V E) as (A & B & C). pose proof V as ([P Q] & M & G).
    pose proof (waste_at_least_idle d V) as [D D'].
    assert (0 <= waste d * eta) by (apply Rmult_le_pos; lra).
    unfold saving_cap, saving_cap_tangent. split; [|split].
    + assert ((P_max d + P_idle d * 0) / (P_max d + waste d * eta)
        <= (P_max d + P_idle d * 0) / envelope_per_work d eta); [|lra].
      apply quotient_bounds; lra.
    + replace (eta / (1 + eta)) with (1 - (P_max d + P_idle d * 0) / (P_max d * (1 + eta)))
        by (field; split; lra).
      assert ((P_max d + P_idle d * 0) / (P_max d * (1 + eta))
        <= (P_max d + P_idle d * 0) / envelope_per_work d eta); [|lra].
      apply quotient_bounds; lra.
    + field. lra.
  - intros d eta eta1 V p E E1. destruct (U d eta V E) as (A & B & C). pose proof V as ([P Q] & M & G).
    pose proof (waste_at_least_idle d V) as [D D'].
    assert (0 <= waste d * eta) by (apply Rmult_le_pos; lra).
    assert (S : 0 < P_idle d * eta1) by now apply Rmult_lt_0_compat.
    unfold saving_cap, saving_cap_tangent, Rdiv.
    assert (0 < / envelope_per_work d eta) by (apply Rinv_0_lt_compat; lra).
    assert (0 < / (P_max d + waste d * eta)) by (apply Rinv_0_lt_compat; lra).
    assert (T : 0 < P_max d * (1 + eta)) by (apply Rmult_lt_0_compat; lra).
    assert (0 < / (P_max d * (1 + eta))) by now apply Rinv_0_lt_compat.
    split; [nra|]. split; [nra|]. split.
    + assert (/ (P_max d * (1 + eta)) <= / envelope_per_work d eta)
        by (apply Rinv_le_contravar; lra). nra.
    + replace (eta * / (1 + eta)) with (1 - P_max d * / (P_max d * (1 + eta)))
        by (field; split; lra). nra.
  - lra.
  - unfold saving_cap_tangent, waste, a100. simpl. lra.
  - unfold saving_cap, envelope_per_work, a100. simpl. replace (1 - 7 / 10) with (3 / 10) by lra.
    pose proof power_bracket as B. set (y := power_of (1 + 2 / 3) (3 / 10)) in *.
    set (v := 100 * (1 + 2 / 3) + (400 - 100) * y).
    assert (W : 51634 / 100 < v < 516362 / 1000) by (unfold v; lra).
    replace (400 + 100 * 0) with 400 by ring.
    assert (400 * / v * v = 400) by (field; lra). unfold Rdiv.
    assert (0 < / v) by (apply Rinv_0_lt_compat; lra). split; nra.
Qed.
