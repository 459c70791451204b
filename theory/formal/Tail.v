(** * What departures deviate by: a bound of its mean with Bernstein's exponent

    Every request departs with probability [p], independently of the others and of the loads.  The
    deviations [X_g + Y_h] of the recursion are then sums of independent terms of mean 0, and with
    [exp x <= 1 + x + x^2] for [x <= 1] their exponential moments are at most those of a normal
    law of twice the variance.  So once [B p delta] is large, the deviations beyond it have a mean
    that is exponentially small. *)

From Coq Require Import Reals Lra ZArith List Lia Arith.
From evenkeel Require Import Loads Step Waterfill Departures Recursion.
Import ListNotations.
Open Scope R_scope.

(** Mean over the departures from a worker with these loads, and from all workers. *)
Fixpoint E_jobs (p : R) (ws : list Z) (f : list job -> R) : R :=
  match ws with
  | [] => f []
  | w :: rest => p * E_jobs p rest (fun jobs => f ((w, true) :: jobs))
      + (1 - p) * E_jobs p rest (fun jobs => f ((w, false) :: jobs))
  end.

Fixpoint E_state (p : R) (loads : list (list Z)) (f : state -> R) : R :=
  match loads with
  | [] => f []
  | ws :: rest => E_jobs p ws (fun jobs => E_state p rest (fun others => f (jobs :: others)))
  end.

Lemma E_jobs_le : forall p ws f g, 0 <= p <= 1 ->
  (forall jobs, map fst jobs = ws -> f jobs <= g jobs) -> E_jobs p ws f <= E_jobs p ws g.
Proof.
  intros p ws f g P. revert f g. induction ws as [|w ws IH]; intros f g H; simpl; [now apply H|].
  apply Rplus_le_compat; apply Rmult_le_compat_l; try lra; apply IH; intros jobs E; apply H;
    simpl; now rewrite E.
Qed.

Lemma E_jobs_linear : forall p ws c f g,
  E_jobs p ws (fun jobs => c * f jobs + g jobs) = c * E_jobs p ws f + E_jobs p ws g.
Proof. induction ws; intros c f g; simpl; [reflexivity|]. rewrite !IHws. ring. Qed.

Lemma E_jobs_constant : forall p ws c, E_jobs p ws (fun _ => c) = c.
Proof. induction ws; intros c; simpl; [reflexivity|]. rewrite !IHws. ring. Qed.

Lemma E_jobs_scaled : forall p ws c f, E_jobs p ws (fun jobs => f jobs * c) = E_jobs p ws f * c.
Proof. induction ws; intros c f; simpl; [reflexivity|]. rewrite !IHws. ring. Qed.

Lemma E_state_le : forall p loads f g, 0 <= p <= 1 ->
  (forall st, map (map fst) st = loads -> f st <= g st) -> E_state p loads f <= E_state p loads g.
Proof.
  intros p loads f g P. revert f g. induction loads as [|ws rest IH]; intros f g H; simpl;
    [now apply H|].
  apply E_jobs_le; [exact P|]. intros jobs E. apply IH. intros others E'. apply H.
  simpl. now rewrite E, E'.
Qed.

Lemma E_jobs_ext : forall p ws f g, (forall jobs, f jobs = g jobs) ->
  E_jobs p ws f = E_jobs p ws g.
Proof.
  induction ws; intros f g H; simpl; [apply H|].
  rewrite (IHws (fun jobs => f ((a, true) :: jobs)) (fun jobs => g ((a, true) :: jobs))) by auto.
  rewrite (IHws (fun jobs => f ((a, false) :: jobs)) (fun jobs => g ((a, false) :: jobs)))
    by auto.
  reflexivity.
Qed.

Lemma E_state_linear : forall p loads c f g,
  E_state p loads (fun st => c * f st + g st) = c * E_state p loads f + E_state p loads g.
Proof.
  induction loads as [|ws rest IH]; intros c f g; simpl; [reflexivity|].
  rewrite <- E_jobs_linear. apply E_jobs_ext. intros jobs. apply IH.
Qed.

Lemma E_state_constant : forall p loads c, E_state p loads (fun _ => c) = c.
Proof.
  induction loads as [|ws rest IH]; intros c; simpl; [reflexivity|].
  rewrite (E_jobs_ext _ _ _ (fun _ => c)) by (intros; apply IH). apply E_jobs_constant.
Qed.

Lemma E_state_total : forall A p loads (f : A -> state -> R) xs, 0 <= p <= 1 ->
  E_state p loads (fun st => total (map (fun i => f i st) xs))
  = total (map (fun i => E_state p loads (f i)) xs).
Proof.
  intros A p loads f xs P. induction xs as [|x xs IH]; simpl; [apply E_state_constant|].
  rewrite <- IH, <- (Rmult_1_l (E_state p loads (f x))), <- E_state_linear.
  apply Rle_antisym; (apply E_state_le; [exact P|]); intros st _; lra.
Qed.

(** ** Exponential moments *)

Lemma exp_quadratic : forall x, x <= 1 -> exp x <= 1 + x + x ^ 2.
Proof.
  intros x H. destruct (Rle_lt_dec x 0) as [N|P].
  - assert (E := exp_ineq1_le (- x)). assert (Q : exp x * exp (- x) = 1).
    { rewrite <- exp_plus, Rplus_opp_r. apply exp_0. }
    pose proof (exp_pos x) as X. apply (Rmult_le_reg_r (1 - x)); [lra|].
    apply Rle_trans with 1; [rewrite <- Q; apply Rmult_le_compat_l; lra|].
    assert (0 <= (- x) * x ^ 2) by (apply Rmult_le_pos; [lra|apply pow2_ge_0]). lra.
  - (* (1 + x + x^2) exp (-x) rises on [0, 1]. *)
    set (f := fun x => (1 + x + x * x) * exp (- x)).
    destruct (MVT_cor2 f (fun x => (x - x * x) * exp (- x)) 0 x P) as (c & E & C).
    + intros c _. unfold f.
      replace ((c - c * c) * exp (- c))
        with ((0 + 1 + (1 * c + c * 1)) * exp (- c) + (1 + c + c * c) * (exp (- c) * -1)) by ring.
      apply (derivable_pt_lim_mult (fun x => 1 + x + x * x) (fun x => exp (- x))).
      * apply (derivable_pt_lim_plus (fun x => 1 + x) (fun x => x * x)).
        -- apply (derivable_pt_lim_plus (fun _ => 1) (fun x => x)).
           ++ apply derivable_pt_lim_const.
           ++ apply derivable_pt_lim_id.
        -- apply (derivable_pt_lim_mult (fun x => x) (fun x => x)); apply derivable_pt_lim_id.
      * apply (derivable_pt_lim_comp (fun x => - x) exp).
        -- apply (derivable_pt_lim_opp (fun x => x)). apply derivable_pt_lim_id.
        -- apply derivable_pt_lim_exp.
    + unfold f in E. rewrite Ropp_0, exp_0 in E.
      assert (G : 0 <= (c - c * c) * exp (- c) * (x - 0)).
      { apply Rmult_le_pos; [|lra]. apply Rmult_le_pos; [nra|]. left. apply exp_pos. }
      assert (T : 1 <= (1 + x + x * x) * exp (- x)) by lra.
      assert (Q : exp (- x) * exp x = 1).
      { rewrite <- exp_plus, Rplus_opp_l. apply exp_0. }
      apply (Rmult_le_compat_r (exp x)) in T; [|left; apply exp_pos].
      rewrite Rmult_assoc, Q in T. lra.
Qed.

Lemma one_departure : forall p z, 0 <= p <= 1 -> Rabs z <= 1 ->
  p * exp ((1 - p) * z) + (1 - p) * exp (- p * z) <= exp (p * (1 - p) * z ^ 2).
Proof.
  intros p z P Z.
  assert (Z' : -1 <= z <= 1).
  { unfold Rabs in Z. destruct (Rcase_abs z); lra. }
  pose proof (exp_quadratic ((1 - p) * z) ltac:(nra)) as A.
  pose proof (exp_quadratic (- p * z) ltac:(nra)) as B.
  apply (Rmult_le_compat_l p) in A; [|lra]. apply (Rmult_le_compat_l (1 - p)) in B; [|lra].
  pose proof (exp_ineq1_le (p * (1 - p) * z ^ 2)) as C.
  eapply Rle_trans; [apply Rplus_le_compat; [exact A|exact B]|].
  eapply Rle_trans; [|exact C]. right. ring.
Qed.

(** Coefficients of the loads of every worker; the sum of [(xi - p) c] and that of [c^2]. *)
Definition weighted (p : R) (c : Z -> R) (jobs : list job) : R :=
  total (map (fun j => (xi j - p) * c (fst j)) jobs).

Fixpoint tilt (p : R) (c : nat -> Z -> R) (st : state) : R :=
  match st with
  | [] => 0
  | jobs :: rest => weighted p (c 0%nat) jobs + tilt p (fun i => c (S i)) rest
  end.

Definition squares (c : Z -> R) (ws : list Z) : R := total (map (fun w => c w ^ 2) ws).

Fixpoint variance (c : nat -> Z -> R) (loads : list (list Z)) : R :=
  match loads with
  | [] => 0
  | ws :: rest => squares (c 0%nat) ws + variance (fun i => c (S i)) rest
  end.

Lemma E_jobs_exp : forall p theta c ws, 0 <= p <= 1 ->
  Forall (fun w => Rabs (theta * c w) <= 1) ws ->
  E_jobs p ws (fun jobs => exp (theta * weighted p c jobs))
  <= exp (theta ^ 2 * (p * (1 - p)) * squares c ws).
Proof.
  intros p theta c ws P F. induction F as [|w ws H F IH].
  - unfold weighted, squares. simpl. right. f_equal. ring.
  - cbn [E_jobs]. set (z := theta * c w) in *.
    rewrite (E_jobs_ext p ws _ (fun jobs =>
      exp (theta * weighted p c jobs) * exp ((1 - p) * z))).
    + rewrite (E_jobs_ext p ws (fun jobs => exp (theta * weighted p c ((w, false) :: jobs)))
        (fun jobs => exp (theta * weighted p c jobs) * exp (- p * z))).
      * rewrite !E_jobs_scaled. set (e := E_jobs p ws _) in *.
        replace (p * (e * exp ((1 - p) * z)) + (1 - p) * (e * exp (- p * z)))
          with (e * (p * exp ((1 - p) * z) + (1 - p) * exp (- p * z))) by ring.
        replace (theta ^ 2 * (p * (1 - p)) * squares c (w :: ws))
          with (theta ^ 2 * (p * (1 - p)) * squares c ws + p * (1 - p) * z ^ 2)
          by (unfold squares, z; simpl; ring).
        rewrite exp_plus. pose proof (one_departure p z P H) as D.
        apply Rmult_le_compat; [|  |exact IH|exact D].
        -- unfold e. rewrite <- (E_jobs_constant p ws 0) at 1. apply E_jobs_le; [exact P|].
           intros jobs _. left. apply exp_pos.
        -- pose proof (exp_pos ((1 - p) * z)). pose proof (exp_pos (- p * z)).
           apply Rplus_le_le_0_compat; apply Rmult_le_pos; lra.
      * intros jobs. rewrite <- exp_plus. f_equal. unfold weighted, z, xi. simpl. ring.
    + intros jobs. rewrite <- exp_plus. f_equal. unfold weighted, z, xi. simpl. ring.
Qed.

Fixpoint small (theta : R) (c : nat -> Z -> R) (loads : list (list Z)) : Prop :=
  match loads with
  | [] => True
  | ws :: rest => Forall (fun w => Rabs (theta * c 0%nat w) <= 1) ws
      /\ small theta (fun i => c (S i)) rest
  end.

Lemma E_state_exp : forall p theta loads c, 0 <= p <= 1 -> small theta c loads ->
  E_state p loads (fun st => exp (theta * tilt p c st))
  <= exp (theta ^ 2 * (p * (1 - p)) * variance c loads).
Proof.
  intros p theta loads. induction loads as [|ws rest IH]; intros c P H; cbn [E_state tilt variance].
  - right. f_equal. ring.
  - destruct H as [H1 H2]. specialize (IH (fun i => c (S i)) P H2).
    set (K := exp (theta ^ 2 * (p * (1 - p)) * variance (fun i => c (S i)) rest)) in *.
    apply Rle_trans with (E_jobs p ws (fun jobs => exp (theta * weighted p (c 0%nat) jobs) * K)).
    + apply E_jobs_le; [exact P|]. intros jobs _. set (u := exp (theta * weighted _ _ jobs)).
      apply Rle_trans with (E_state p rest (fun st =>
        u * exp (theta * tilt p (fun i => c (S i)) st) + 0)).
      * apply E_state_le; [exact P|]. intros st _. right. unfold u. rewrite Rplus_0_r, <- exp_plus.
        f_equal. ring.
      * rewrite (E_state_linear p rest u _ (fun _ => 0)), E_state_constant, Rplus_0_r.
        apply Rmult_le_compat_l; [left; apply exp_pos|exact IH].
    + rewrite E_jobs_scaled, Rmult_plus_distr_l, exp_plus. fold K.
      apply Rmult_le_compat_r; [left; apply exp_pos|]. now apply E_jobs_exp.
Qed.

(** ** The deviations of a step *)

(** [f] for worker [g], and 0 for the others. *)
Definition only (g : nat) (f : Z -> R) : nat -> Z -> R := fun i w => if Nat.eqb i g then f w else 0.

(** [X_g + Y_h] as one sum over all requests: [X] at [x + delta] and [Y] at [x]. *)
Definition pair (x delta : Z) (g h : nat) : nat -> Z -> R := fun i w =>
  only g (fun w => IZR (w - (x + delta))) i w + -1 * only h (fun w => IZR (w - x)) i w.

Lemma weighted_zero : forall p jobs, weighted p (fun _ => 0) jobs = 0.
Proof. unfold weighted. induction jobs; simpl; [reflexivity|]. rewrite IHjobs. ring. Qed.

Lemma tilt_zero : forall p st, tilt p (fun _ _ => 0) st = 0.
Proof.
  induction st; [reflexivity|]. cbn [tilt]. rewrite weighted_zero, IHst. ring.
Qed.

Lemma tilt_only : forall p f st g, (g < length st)%nat ->
  tilt p (only g f) st = weighted p f (nth g st []).
Proof.
  intros p f. induction st as [|jobs rest IH]; intros g H; [simpl in H; lia|].
  destruct g as [|g]; cbn [tilt nth].
  - change (only 0 f 0%nat) with (fun w => f w).
    change (fun i => only 0 f (S i)) with (fun (_ : nat) (_ : Z) => 0).
    rewrite tilt_zero. unfold weighted. ring.
  - change (only (S g) f 0%nat) with (fun _ : Z => 0).
    change (fun i => only (S g) f (S i)) with (only g f).
    rewrite weighted_zero, IH by (simpl in H; lia). ring.
Qed.

Lemma tilt_sum : forall p c d st,
  tilt p (fun i w => c i w + -1 * d i w) st = tilt p c st - tilt p d st.
Proof.
  intros p c d st. revert c d. induction st as [|jobs rest IH]; intros c d; cbn [tilt]; [ring|].
  rewrite (IH (fun i => c (S i)) (fun i => d (S i))).
  assert (W : weighted p (fun w => c 0%nat w + -1 * d 0%nat w) jobs
    = weighted p (c 0%nat) jobs - weighted p (d 0%nat) jobs).
  { unfold weighted. clear. induction jobs; simpl; [ring|]. rewrite IHjobs. ring. }
  rewrite W. ring.
Qed.

Lemma pair_is_a_deviation : forall p x delta st g h, (g < length st)%nat -> (h < length st)%nat ->
  tilt p (pair x delta g h) st = X p (x + delta) (nth g st []) + Y p x (nth h st []).
Proof.
  intros p x delta st g h G H. unfold pair. rewrite tilt_sum, !tilt_only by assumption.
  rewrite Y_is_minus_X. unfold X, weighted. ring.
Qed.

Lemma squares_cons : forall c w ws, squares c (w :: ws) = c w ^ 2 + squares c ws.
Proof. reflexivity. Qed.

Lemma squares_zero : forall ws, squares (fun _ => 0) ws = 0.
Proof. induction ws; [reflexivity|]. rewrite squares_cons, IHws. ring. Qed.

Lemma variance_zero : forall loads, variance (fun _ _ => 0) loads = 0.
Proof.
  induction loads as [|ws rest IH]; [reflexivity|]. cbn [variance].
  rewrite IH, squares_zero. ring.
Qed.

Lemma variance_only : forall f loads g, variance (only g f) loads <= squares f (nth g loads []).
Proof.
  intros f. induction loads as [|ws rest IH]; intros g.
  - destruct g; unfold squares; simpl; lra.
  - destruct g as [|g]; cbn [variance nth].
    + change (only 0 f 0%nat) with (fun w => f w).
      change (fun i => only 0 f (S i)) with (fun (_ : nat) (_ : Z) => 0).
      rewrite variance_zero. unfold squares. lra.
    + change (only (S g) f 0%nat) with (fun _ : Z => 0).
      change (fun i => only (S g) f (S i)) with (only g f).
      rewrite squares_zero. specialize (IH g). lra.
Qed.

(** On two workers the squares add; on one, the two loads differ by [delta]. *)
Lemma variance_of_pair : forall B x delta s loads, Forall (fun ws => length ws = B) loads ->
  Forall (fun ws => squares (fun w => IZR (w - (x + delta))) ws <= s
                    /\ squares (fun w => IZR (w - x)) ws <= s) loads ->
  0 <= s -> INR B * IZR delta ^ 2 <= 2 * s ->
  forall g h, variance (pair x delta g h) loads <= 2 * s.
Proof.
  intros B x delta s loads L F s0 D g h.
  assert (N : forall f g, (squares f [] <= s) -> Forall (fun ws => squares f ws <= s) loads ->
    squares f (nth g loads []) <= s).
  { clear. intros f g Z F. revert g. induction F; intros [|g]; simpl; auto. }
  destruct (Nat.eq_dec g h) as [->|ne].
  - apply Rle_trans with (variance (only h (fun _ => - IZR delta)) loads).
    + right. assert (E : forall c d, (forall i w, c i w ^ 2 = d i w ^ 2) ->
        variance c loads = variance d loads).
      { clear. induction loads as [|ws rest IH]; intros c d H; cbn [variance]; [reflexivity|].
        f_equal; [|now apply IH]. unfold squares. f_equal. apply map_ext. intros w. apply H. }
      apply E. intros i w. unfold pair, only. destruct (Nat.eqb i h); [|ring].
      rewrite !minus_IZR, plus_IZR. ring.
    + eapply Rle_trans; [apply variance_only|]. eapply Rle_trans; [|exact D].
      assert (Q : forall ws, squares (fun _ => - IZR delta) ws = INR (length ws) * IZR delta ^ 2).
      { induction ws; [unfold squares; simpl; ring|].
        rewrite squares_cons, IHws. simpl length. rewrite S_INR. ring. }
      rewrite Q. apply Rmult_le_compat_r; [apply pow2_ge_0|]. apply le_INR.
      destruct (nth_in_or_default h loads []) as [I|Z]; [|rewrite Z; simpl; lia].
      rewrite Forall_forall in L. rewrite (L _ I). lia.
  - assert (S : variance (pair x delta g h) loads
      = variance (only g (fun w => IZR (w - (x + delta)))) loads
        + variance (only h (fun w => IZR (w - x))) loads).
    { unfold pair. generalize (fun w => IZR (w - (x + delta))). generalize (fun w => IZR (w - x)).
      intros d c. clear - ne.
      assert (E : forall u v, (forall i w, u i w * v i w = 0) ->
        variance (fun i w => u i w + -1 * v i w) loads = variance u loads + variance v loads).
      { induction loads as [|ws rest IH]; intros u v H; cbn [variance]; [ring|].
        rewrite (IH (fun i => u (S i)) (fun i => v (S i))) by auto.
        assert (W : squares (fun w => u 0%nat w + -1 * v 0%nat w) ws
          = squares (u 0%nat) ws + squares (v 0%nat) ws).
        { clear - H. induction ws as [|w ws IHw]; [unfold squares; simpl; ring|].
          rewrite !squares_cons, IHw. specialize (H 0%nat w). cbv beta in H. nra. }
        rewrite W. ring. }
      apply E. intros i w. unfold only.
      destruct (Nat.eqb_spec i g), (Nat.eqb_spec i h); subst; try congruence; ring. }
    rewrite S. pose proof (variance_only (fun w => IZR (w - (x + delta))) loads g) as A.
    pose proof (variance_only (fun w => IZR (w - x)) loads h) as C.
    assert (Z : forall f, squares f [] <= s) by (intros; unfold squares; simpl; exact s0).
    assert (F1 := N (fun w => IZR (w - (x + delta))) g (Z _)
      (Forall_impl _ (fun ws H => proj1 H) F)).
    assert (F2 := N (fun w => IZR (w - x)) h (Z _) (Forall_impl _ (fun ws H => proj2 H) F)). lra.
Qed.

Lemma small_pair : forall theta r x delta loads, 0 <= theta -> theta * r <= 1 ->
  Forall (Forall (fun w => Rabs (IZR (w - (x + delta))) <= r /\ Rabs (IZR (w - x)) <= r)) loads ->
  0 <= IZR delta <= r -> forall g h, small theta (pair x delta g h) loads.
Proof.
  intros theta r x delta loads T S F D.
  assert (Q : forall z, Rabs z <= r -> Rabs (theta * z) <= 1).
  { intros z H. rewrite Rabs_mult, (Rabs_right theta) by lra.
    apply (Rmult_le_compat_l theta) in H; lra. }
  assert (P : forall w, Rabs (IZR (w - (x + delta))) <= r /\ Rabs (IZR (w - x)) <= r ->
    forall g h i, Rabs (theta * pair x delta g h i w) <= 1).
  { intros w [H1 H2] g h i. apply Q. unfold pair, only.
    destruct (Nat.eqb i g), (Nat.eqb i h).
    - replace (IZR (w - (x + delta)) + -1 * IZR (w - x)) with (- IZR delta)
        by (rewrite !minus_IZR, plus_IZR; ring).
      rewrite Rabs_Ropp, Rabs_right; lra.
    - replace (IZR (w - (x + delta)) + -1 * 0) with (IZR (w - (x + delta))) by ring. exact H1.
    - replace (0 + -1 * IZR (w - x)) with (- IZR (w - x)) by ring. now rewrite Rabs_Ropp.
    - replace (0 + -1 * 0) with 0 by ring. rewrite Rabs_R0. lra. }
  intros g h.
  assert (all : forall c : nat -> Z -> R, (forall i w,
      Rabs (IZR (w - (x + delta))) <= r /\ Rabs (IZR (w - x)) <= r -> Rabs (theta * c i w) <= 1) ->
    small theta c loads).
  { clear - F. induction F as [|ws rest H F IH]; intros c C; cbn [small]; [exact I|]. split.
    - eapply Forall_impl; [|exact H]. intros w. apply C.
    - apply IH. intros i w. apply C. }
  apply all. intros i w H. now apply P.
Qed.

Lemma by_index : forall A (F : list job -> A) st,
  map F st = map (fun g => F (nth g st [])) (seq 0 (length st)).
Proof.
  induction st as [|jobs rest IH]; [reflexivity|]. simpl. f_equal.
  rewrite <- seq_shift, map_map. exact IH.
Qed.

Lemma total_constant : forall A c (xs : list A), total (map (fun _ => c) xs) = INR (length xs) * c.
Proof.
  induction xs; [simpl; ring|]. simpl length. rewrite S_INR. simpl. rewrite IHxs. ring.
Qed.

Lemma total_above : forall A (f : A -> R) xs y, Forall (fun x => 0 <= f x) xs -> In y xs ->
  f y <= total (map f xs).
Proof.
  intros A f xs y F I. induction F as [|x xs H F IH]; [destruct I|]. simpl.
  assert (0 <= total (map f xs)). { clear - F. induction F; simpl; lra. }
  destruct I as [->|I]; [lra|]. apply IH in I. lra.
Qed.

(** [u^+ <= exp (theta u) / theta]. *)
Lemma positive_part : forall theta u, 0 < theta -> Rmax 0 u <= exp (theta * u) / theta.
Proof.
  intros theta u T. assert (0 < exp (theta * u) / theta).
  { apply Rdiv_lt_0_compat; [apply exp_pos|exact T]. }
  apply Rmax_lub; [lra|]. apply (Rmult_le_reg_r theta); [exact T|].
  unfold Rdiv. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  pose proof (exp_ineq1_le (theta * u)). lra.
Qed.

Lemma deviations_by_pairs : forall B p x delta theta st, 0 < theta ->
  deviations B p x delta st <= total (map (fun g => total (map (fun h =>
    exp (- (theta * (INR B * p * IZR delta))) / theta
      * exp (theta * tilt p (pair x delta g h) st))
    (seq 0 (length st)))) (seq 0 (length st))).
Proof.
  intros B p x delta theta st T. unfold deviations.
  rewrite (by_index R (fun jobs => Rmax 0 (X p (x + delta) jobs + maximum (map (Y p x) st)
    - INR B * p * IZR delta))).
  apply total_le, Forall_forall. intros g I. apply in_seq in I.
  assert (N : map (Y p x) st <> []).
  { intros Z. apply map_eq_nil in Z. subst. simpl in I. lia. }
  pose proof (maximum_in _ N) as M. rewrite by_index in M at 2. apply in_map_iff in M.
  destruct M as (h & E & J). rewrite <- E.
  eapply Rle_trans; [apply (positive_part theta); exact T|].
  eapply Rle_trans; [|apply (total_above nat) with (y := h); [|exact J]].
  - apply in_seq in J. rewrite pair_is_a_deviation by lia. right.
    set (u := X p (x + delta) _). set (v := Y p x _). set (t := INR B * p * IZR delta).
    replace (theta * (u + v - t)) with (- (theta * t) + theta * (u + v)) by ring.
    rewrite exp_plus. field. lra.
  - apply Forall_forall. intros k _. left. apply Rmult_lt_0_compat; [|apply exp_pos].
    apply Rdiv_lt_0_compat; [apply exp_pos|exact T].
Qed.

(** For fixed loads, departures with probability [p] and [r] a bound of the distances of the loads
    from both sizes, [s] of their sums of squares on every worker: the mean of
    [sum_g (X_g + max_h Y_h - B p delta)^+] is at most
    [G^2 / theta exp (2 theta^2 p (1 - p) s - theta B p delta)] for every [theta <= 1 / r]; so at
    most [G^2 (4 (1 - p) s) / (B delta) exp (- p (B delta)^2 / (8 (1 - p) s))] where [r] is
    not large. *)
Lemma two_size_tail : forall G B p x delta r s loads,
  (1 <= B)%nat -> 0 <= p < 1 -> (1 <= delta)%Z -> length loads = G ->
  Forall (fun ws => length ws = B) loads ->
  Forall (Forall (fun w => Rabs (IZR (w - (x + delta))) <= r /\ Rabs (IZR (w - x)) <= r)) loads ->
  Forall (fun ws => squares (fun w => IZR (w - (x + delta))) ws <= s
                    /\ squares (fun w => IZR (w - x)) ws <= s) loads ->
  IZR delta <= r -> INR B * IZR delta ^ 2 <= 2 * s ->
  (forall theta, 0 < theta -> theta * r <= 1 ->
     E_state p loads (deviations B p x delta)
     <= INR G ^ 2 / theta
        * exp (2 * theta ^ 2 * (p * (1 - p)) * s - theta * (INR B * p * IZR delta)))
  /\
  (INR B * IZR delta * r <= 4 * (1 - p) * s ->
     E_state p loads (deviations B p x delta)
     <= INR G ^ 2 * (4 * (1 - p) * s / (INR B * IZR delta))
        * exp (- (p * (INR B * IZR delta) ^ 2 / (8 * (1 - p) * s)))).
Proof.
  intros G B p x delta r s loads b P d LG LB Fr Fs dr ds.
  assert (P' : 0 <= p <= 1) by lra. assert (d1 : 1 <= IZR delta) by now apply (IZR_le 1).
  assert (b1 : 1 <= INR B) by now apply (le_INR 1) in b.
  assert (s0 : 0 < s) by nra.
  assert (one : forall theta, 0 < theta -> theta * r <= 1 ->
     E_state p loads (deviations B p x delta)
     <= INR G ^ 2 / theta
        * exp (2 * theta ^ 2 * (p * (1 - p)) * s - theta * (INR B * p * IZR delta))).
  { intros theta T R. set (t := INR B * p * IZR delta).
    set (k := exp (- (theta * t)) / theta).
    assert (k0 : 0 < k) by (apply Rdiv_lt_0_compat; [apply exp_pos|exact T]).
    set (e := exp (2 * theta ^ 2 * (p * (1 - p)) * s)).
    apply Rle_trans with (E_state p loads (fun st => total (map (fun g => total (map (fun h =>
      k * exp (theta * tilt p (pair x delta g h) st)) (seq 0 G))) (seq 0 G)))).
    { apply E_state_le; [exact P'|]. intros st E.
      assert (L : length st = G) by (rewrite <- LG, <- E; now rewrite map_length).
      rewrite <- L. now apply deviations_by_pairs. }
    rewrite (E_state_total nat p loads (fun g st => total (map (fun h =>
      k * exp (theta * tilt p (pair x delta g h) st)) (seq 0 G)))) by exact P'.
    apply Rle_trans with (total (map (fun _ : nat => INR G * (k * e)) (seq 0 G))).
    - apply total_le, Forall_forall. intros g _.
      rewrite (E_state_total nat p loads (fun h st =>
        k * exp (theta * tilt p (pair x delta g h) st))) by exact P'.
      apply Rle_trans with (total (map (fun _ : nat => k * e) (seq 0 G))).
      + apply total_le, Forall_forall. intros h _.
        apply Rle_trans with (E_state p loads (fun st =>
          k * exp (theta * tilt p (pair x delta g h) st) + 0)).
        { apply E_state_le; [exact P'|]. intros st _. lra. }
        rewrite (E_state_linear p loads k _ (fun _ => 0)), E_state_constant, Rplus_0_r.
        apply Rmult_le_compat_l; [lra|].
        eapply Rle_trans; [apply E_state_exp; [exact P'|]|].
        * apply (small_pair theta r); auto; lra.
        * pose proof (variance_of_pair B x delta s loads LB Fs (Rlt_le _ _ s0) ds g h) as V.
          unfold e.
          assert (q : 0 <= theta ^ 2 * (p * (1 - p))).
          { apply Rmult_le_pos; [apply pow2_ge_0|]. apply Rmult_le_pos; lra. }
          apply (Rmult_le_compat_l _ _ _ q) in V.
          destruct V as [V|V].
          -- left. apply exp_increasing. lra.
          -- right. f_equal. lra.
      + rewrite total_constant, seq_length. lra.
    - rewrite total_constant, seq_length. right.
      assert (E : exp (2 * theta ^ 2 * (p * (1 - p)) * s - theta * t) = e * exp (- (theta * t)))
        by (unfold e; rewrite <- exp_plus; f_equal; ring).
      rewrite E. unfold k. field. lra. }
  split; [exact one|]. intros H.
  assert (bd : 0 < INR B * IZR delta) by (apply Rmult_lt_0_compat; lra).
  assert (q : 0 < 4 * (1 - p) * s) by (apply Rmult_lt_0_compat; lra).
  set (theta := INR B * IZR delta / (4 * (1 - p) * s)).
  assert (T : 0 < theta) by now apply Rdiv_lt_0_compat.
  assert (R : theta * r <= 1).
  { apply (Rmult_le_reg_r (4 * (1 - p) * s)); [exact q|]. unfold theta.
    replace (INR B * IZR delta / (4 * (1 - p) * s) * r * (4 * (1 - p) * s))
      with (INR B * IZR delta * r) by (field; lra). lra. }
  eapply Rle_trans; [exact (one theta T R)|]. right. f_equal.
  - unfold theta. field. lra.
  - f_equal. unfold theta. field. lra.
Qed.
