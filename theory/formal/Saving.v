(** * The saving of one run over another at equal work

    No overhead ([c = 0]).  [W] is the work of both runs, [I0] and [I1] their imbalances; the
    formulas use the ratios [eta = I0 / W] and [eta1 = I1 / W], and [alpha = I0 / I1].

    theory.md: [energy.saving-paper], [energy.saving-sharp], [energy.limit-paper], [energy.cap]. *)

From Coq Require Import Reals Lra List.
From evenkeel Require Import PowerLaw Energy.
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
    pose proof (waste_at_least_idle d V). destruct V as ([P Q] & M & G). destruct R as (_ & _ & _ & _ & w).
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

(** The paper's form stays below [P_idle / D], rises with [eta] and [alpha] where it is not
    negative, and tends to [P_idle / D]: 10/19 for 100/400 W and gamma 0.7. *)
Theorem energy_limit_paper :
  (forall d eta alpha, valid d -> 0 < waste d -> 0 < eta -> 0 < alpha ->
     paper_form d eta alpha < limit_paper d) /\
  (forall d eta alpha eta' alpha', valid d -> 0 < waste d -> 0 < eta <= eta' -> 0 < alpha <= alpha' ->
     0 <= paper_form d eta alpha -> paper_form d eta alpha <= paper_form d eta' alpha') /\
  (forall d eps, valid d -> 0 < waste d -> 0 < eps -> exists N, forall eta alpha, N < eta -> N < alpha ->
     limit_paper d - eps < paper_form d eta alpha) /\
  limit_paper a100 = 10 / 19.
Proof.
  split; [|split; [|split]].
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
    intros eta alpha He Ha. set (N := (P_max d * P_idle d / waste d + waste d + 1) / (waste d * eps)) in *.
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

(** ** [energy.saving-envelope], the two bounds *)

Theorem energy_saving_envelope : forall d r0 r1 W, valid d -> pair_of_runs r0 r1 W ->
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
     saving d r0 r1 <= saving_cap d (imbalances r0 / W) (imbalances r1 / W)) /\
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
  - intros. now apply energy_saving_envelope.
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
